//! The pages for signing in and for set-up.

use std::time::Duration;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::language::Lang;

/// What both pages know.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) lang: Lang,
    /// Where to go afterwards: a path of this site.
    pub(crate) next: String,
    token: String,
}

/// Why the form comes back.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Complaint {
    Wrong,
    Wait(Duration),
    Token,
    Username,
    Password,
}

impl Page {
    pub(crate) fn of(lang: Lang, next: Option<&str>, token: Option<&str>) -> Self {
        let next = next.filter(|path| is_own_path(path)).unwrap_or("/").to_owned();
        Self { lang, next, token: token.unwrap_or_default().to_owned() }
    }
}

/// A path of this site, not an address of another one in disguise.
fn is_own_path(path: &str) -> bool {
    path.starts_with('/') && !path.starts_with("//") && path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
}

/// The sign-in page.
pub(crate) fn login(page: &Page, complaint: Option<Complaint>) -> String {
    let lang = page.lang;
    let form = html! {
        form method="post" action="/login" {
            (hidden(page))
            (username(lang))
            (password(lang, "current-password"))
            button type="submit" { (lang.pick("登录", "Sign in")) }
        }
    };
    document(
        page,
        "/login",
        lang.pick("登录", "Sign in"),
        lang.pick("收单差错责任平台", "Payment exceptions, decided and proven"),
        complaint,
        &form,
    )
}

/// The first-run page.
pub(crate) fn setup(page: &Page, complaint: Option<Complaint>) -> String {
    let lang = page.lang;
    let form = html! {
        form method="post" action="/setup" {
            (hidden(page))
            label for="token" { (lang.pick("初始化口令（启动时显示）", "Set-up token (shown at start)")) }
            input id="token" name="token" value=(page.token) autocomplete="off" required;
            (username(lang))
            (password(lang, "new-password"))
            button type="submit" { (lang.pick("创建管理员", "Create administrator")) }
        }
    };
    let title = lang.pick("首次设置", "First-run set-up");
    document(
        page,
        "/setup",
        title,
        lang.pick("创建第一个管理员账户。", "Create the first administrator."),
        complaint,
        &form,
    )
}

fn hidden(page: &Page) -> Markup {
    html! {
        input type="hidden" name="lang" value=(page.lang.tag());
        input type="hidden" name="next" value=(page.next);
    }
}

fn username(lang: Lang) -> Markup {
    html! {
        label for="username" { (lang.pick("用户名", "Username")) }
        input id="username" name="username" autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus;
    }
}

fn password(lang: Lang, purpose: &str) -> Markup {
    html! {
        label for="password" { (lang.pick("密码", "Password")) }
        input id="password" name="password" type="password" autocomplete=(purpose) required;
    }
}

fn document(page: &Page, path: &str, title: &str, lead: &str, complaint: Option<Complaint>, form: &Markup) -> String {
    let other = match page.lang {
        Lang::Zh => Lang::En,
        Lang::En => Lang::Zh,
    };
    let mut link = format!("{path}?lang={}&next={}", other.tag(), percent_encoded(&page.next));
    if !page.token.is_empty() {
        link = format!("{link}&token={}", percent_encoded(&page.token));
    }
    let markup = html! {
        (DOCTYPE)
        html lang=(page.lang.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · Onus" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { "Onus" }
                    p { (lead) }
                    @if let Some(complaint) = complaint {
                        p role="alert" { (said(complaint, page.lang)) }
                    }
                    (form)
                    p { a href=(link) lang=(other.tag()) { (other.pick("中文", "English")) } }
                }
            }
        }
    };
    markup.into_string()
}

fn said(complaint: Complaint, lang: Lang) -> String {
    let (zh, en) = match complaint {
        Complaint::Wrong => ("用户名或密码不正确。".to_owned(), "Username or password is wrong.".to_owned()),
        Complaint::Wait(wait) => {
            let minutes = wait.as_secs().div_ceil(60).max(1);
            (
                format!("尝试次数过多，请在 {minutes} 分钟后再试。"),
                format!("Too many tries; try again in {minutes} min."),
            )
        }
        Complaint::Token => ("初始化口令不正确。".to_owned(), "The set-up token is wrong.".to_owned()),
        Complaint::Username => (
            "用户名为 1 至 64 个字母、数字或 . _ - @。".to_owned(),
            "A username has 1 to 64 letters, digits or the signs . _ - @.".to_owned(),
        ),
        Complaint::Password => ("密码至少 8 个字符。".to_owned(), "A password has at least 8 characters.".to_owned()),
    };
    lang.pick(&zh, &en).to_owned()
}

/// A text as the value of a query parameter.
pub(crate) fn percent_encoded(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'/');
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

const STYLE: &str = "
:root { color-scheme: light dark; font: 16px/1.5 system-ui, 'Noto Sans CJK SC', sans-serif; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: Canvas; color: CanvasText; }
main { width: min(22rem, 90vw); }
h1 { margin: 0; font-size: 2rem; }
form { display: grid; gap: .5rem; margin-top: 1.5rem; }
input:not([type=hidden]), button { font: inherit; padding: .6rem .7rem; border-radius: .4rem; border: 1px solid GrayText; }
button { margin-top: .5rem; border: 0; background: #1456b8; color: #fff; cursor: pointer; }
[role=alert] { padding: .6rem .7rem; border-left: .25rem solid #c62828; background: color-mix(in srgb, #c62828 12%, Canvas); }
a { color: LinkText; }
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_site_are_followed() {
        let table = [
            (Some("/payments?kind=K6"), "/payments?kind=K6"),
            (Some("/payments/2026-09-21.29000556.000813.274316"), "/payments/2026-09-21.29000556.000813.274316"),
            (Some("//evil.example"), "/"),
            (Some("/\\evil.example"), "/"),
            (Some("https://evil.example"), "/"),
            (Some("/a\r\nx: y"), "/"),
            (None, "/"),
        ];
        for (next, expected) in table {
            assert_eq!(Page::of(Lang::En, next, None).next, expected, "{next:?}");
        }
    }

    #[test]
    fn what_a_visitor_sends_is_escaped() {
        let page = Page::of(Lang::En, None, Some("\"><script>alert(1)</script>"));
        assert!(!setup(&page, Some(Complaint::Token)).contains("<script"));
        assert_eq!(percent_encoded("/payments?q=a&b"), "/payments%3Fq%3Da%26b");
    }
}
