//! One payment's story in words.

use std::io::Write;

use anyhow::{Context, Result, bail};
use onus_model::{Instant, PaymentKey};
use onus_store::Scope;
use onus_store::exceptions::ExceptionRow;
use serde_json::Value;

use crate::home::Home;
use crate::judge::reason_json;
use crate::{Format, Language};

/// Prints the story of a payment.
pub(crate) fn explain(home: &Home, key: &str, language: Language, format: Format) -> Result<()> {
    let id = PaymentKey::parse(key)?.to_string();
    let scope = Scope::all(&home.tenant.id);
    let Some(detail) = home.store.read(|tx| onus_store::payments::by_id(tx, &scope, &id, crate::home::now().0))? else {
        bail!("no payment {id} in this store; keys are listed by: onus export exceptions");
    };
    let mut bodies = Vec::new();
    for item in &detail.item.exceptions {
        let entry = home.store.read(|tx| onus_store::log::entry(tx, &scope, item.exception.entry_index))?;
        let entry = entry.with_context(|| format!("evidence entry {} is missing", item.exception.entry_index))?;
        let mut body = serde_json::from_slice::<Value>(&entry.body)?;
        if let Some(reason) = reason(home, &item.exception, language)? {
            body["reason_code"] = reason;
        }
        bodies.push(body);
    }
    let mut out = std::io::stdout().lock();
    if format != Format::Table {
        writeln!(out, "{}", serde_json::json!({"payment": id, "verdicts": bodies}))?;
        return Ok(());
    }
    let zh = language == Language::Zh;
    let payment = &detail.item.payment;
    let say = |chinese: String, english: String| if zh { chinese } else { english };
    let yuan = format!("{}.{:02}", payment.amount_minor / 100, payment.amount_minor % 100);
    let at = home.zone()?.format(Instant(payment.started_at));
    writeln!(
        out,
        "{}",
        say(
            format!(
                "{id}\n{at}，终端 {}，商户 {}（{}），金额 {yuan} 元，卡 {}，应答码 {}，结果 {}",
                payment.tid,
                detail.item.merchant_name,
                payment.merchant_code,
                payment.pan_masked,
                or_dash(&payment.response_code),
                payment.outcome
            ),
            format!(
                "{id}\n{at}, terminal {}, merchant {} ({}), amount CNY {yuan}, card {}, response code {}, outcome {}",
                payment.tid,
                detail.item.merchant_name,
                payment.merchant_code,
                payment.pan_masked,
                or_dash(&payment.response_code),
                payment.outcome
            ),
        )
    )?;
    if bodies.is_empty() {
        writeln!(out, "{}", say("没有差错。".to_owned(), "It ended as it should.".to_owned()))?;
    }
    for body in &bodies {
        verdict(&mut out, body, zh)?;
    }
    for found in &detail.breaks {
        writeln!(
            out,
            "{}",
            say(
                format!("对账差错 {}：应为 {}，实为 {}", found.class, found.expected, found.found),
                format!("break {}: expected {}, found {}", found.class, found.expected, found.found)
            )
        )?;
    }
    Ok(())
}

/// What the network's reason code of a chargeback says, from the facts of the verdict.
fn reason(home: &Home, exception: &ExceptionRow, language: Language) -> Result<Option<Value>> {
    let ExceptionRow { payment_id, kind, revision, .. } = exception;
    let facts =
        home.store.read(|tx| onus_worker::facts_of_verdict(tx, &home.tenant.id, payment_id, kind, *revision))?;
    let told = facts.as_ref().and_then(|facts| onus_liability::reason_of(facts).map(|reason| (reason, facts)));
    Ok(told.map(|(reason, facts)| reason_json(reason, facts, language)))
}

fn reason_code(out: &mut impl Write, reason: &Value, zh: bool) -> Result<()> {
    let plain = |name: &str| reason[name].as_str().unwrap_or("-").to_owned();
    writeln!(
        out,
        "  {} {} {} ({}): {} / {} / {}  [{}, {}]",
        if zh { "原因码" } else { "reason code" },
        plain("network"),
        plain("code"),
        plain("family_title"),
        plain("title"),
        plain("file_within"),
        plain("answer_within"),
        plain("source"),
        plain("grade")
    )?;
    for proof in reason["must_prove"].as_array().into_iter().flatten() {
        let (by, text) = (proof["by"].as_str().unwrap_or_default(), proof["text"].as_str().unwrap_or_default());
        writeln!(out, "    {} {by}: {text}", if zh { "待举证" } else { "to prove," })?;
    }
    Ok(())
}

fn verdict(out: &mut impl Write, body: &Value, zh: bool) -> Result<()> {
    let lang = if zh { "zh" } else { "en" };
    let text = |value: &Value| value[lang].as_str().unwrap_or_default().to_owned();
    let plain = |name: &str| body[name].as_str().unwrap_or("-").to_owned();
    let shares: Vec<String> = body["shares"]
        .as_object()
        .map(|shares| {
            shares.iter().map(|(party, bp)| format!("{party} {} %", bp.as_i64().unwrap_or_default() / 100)).collect()
        })
        .unwrap_or_default();
    let shares = if shares.is_empty() { "-".to_owned() } else { shares.join(", ") };
    let loss = body["loss_minor"].as_i64().unwrap_or_default();
    if zh {
        writeln!(
            out,
            "\n差错 {}：原因 {}（{}），先行支付 {}，最终承担 {shares}，损失 {}.{:02} 元",
            plain("kind"),
            plain("cause"),
            plain("status"),
            plain("outward"),
            loss / 100,
            loss % 100
        )?;
    } else {
        writeln!(
            out,
            "\nexception {}: cause {} ({}), pays first {}, bears it in the end {shares}, loss CNY {}.{:02}",
            plain("kind"),
            plain("cause"),
            plain("status"),
            plain("outward"),
            loss / 100,
            loss % 100
        )?;
    }
    for reason in body["reasons"].as_array().into_iter().flatten() {
        writeln!(out, "  {}: {}", reason["rule_id"].as_str().unwrap_or_default(), text(&reason["text"]))?;
        let ground = &reason["ground"];
        writeln!(
            out,
            "    {} ({}, {})",
            text(&ground["text"]),
            ground["source"].as_str().unwrap_or_default(),
            ground["grade"].as_str().unwrap_or_default()
        )?;
        for fact in reason["facts"].as_array().into_iter().flatten() {
            let name = fact[lang].as_str().unwrap_or_default();
            writeln!(
                out,
                "    - {name}: {}  [{}]",
                fact["value"].as_str().unwrap_or_default(),
                fact["source"].as_str().unwrap_or_default()
            )?;
        }
    }
    writeln!(out, "  {} {}", if zh { "代理商：" } else { "agent:" }, text(&body["agent"]["text"]))?;
    if !body["reason_code"].is_null() {
        reason_code(out, &body["reason_code"], zh)?;
    }
    for change in body["would_change"].as_array().into_iter().flatten() {
        writeln!(out, "  {} {}", if zh { "可改变结论的证据：" } else { "would change it:" }, text(&change["text"]))?;
    }
    for duty in body["obligations"].as_array().into_iter().flatten() {
        writeln!(
            out,
            "  {} {} / {} / {}",
            if zh { "义务：" } else { "duty:" },
            text(&duty["text"]),
            duty["owner"].as_str().unwrap_or_default(),
            duty["within"].as_str().unwrap_or_default()
        )?;
    }
    Ok(())
}

fn or_dash(text: &str) -> &str {
    if text.is_empty() { "-" } else { text }
}
