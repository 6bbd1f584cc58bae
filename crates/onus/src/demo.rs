//! The demo: one invented day of an acquirer, imported and served on loopback.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use onus_model::Instant;

use crate::home::Home;
use crate::serve::Ready;
use crate::{Format, Place, demo_live, import, report, serve};

/// The demo day, a folder of an acquirer's files.
const DAY: &[u8] = include_bytes!("../../../demo/day.tar.xz");
/// The demo's clock: some days after the day, when payouts and first disputes are in.
const AS_OF: &str = "2026-10-12T09:00:00+08:00";

/// Imports the demo day and serves it, with live traffic beside it.
pub(crate) fn demo(store: PathBuf, port: u16, import_only: bool, live: bool) -> Result<()> {
    let place = Place { store, database: None, tenant: "demo".to_owned() };
    let mut home = Home::open(&place)?;
    let as_of = Instant::parse(AS_OF).map_err(|error| anyhow::anyhow!("{error}"))?;
    name_tenant(&mut home)?;
    let folder = place.store.join("day");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    import::unpack(DAY, &folder).context("could not unpack the demo day")?;
    let imported = import::import(&home, &folder, as_of, false)?;
    std::fs::remove_dir_all(&folder)?;
    report::import(&imported, Format::Table)?;
    if import_only {
        return Ok(());
    }
    let password = match std::env::var("ONUS_DEMO_PASSWORD") {
        Ok(password) => password,
        Err(_) => serve::random_text()?,
    };
    set_administrator(&home, &password)?;
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let (live, gateway) = if live { Some(demo_live::prepare(&home, &place.store, as_of)?) } else { None }.unzip();
    serve::serve(&Arc::new(home), gateway, listen, (Some(as_of), serve::clock(Some(as_of), 1)), false, |ready| {
        if let (Some(live), Some(gateway)) = (&live, ready.gateway) {
            live.begin(gateway);
        }
        say(ready, &password);
    })
}

fn say(ready: &Ready, password: &str) {
    println!();
    println!("  open      http://{}", ready.server);
    println!("  sign in   admin / {password}");
    println!("  clock     {AS_OF} (the demo's own)");
    println!("  look at   the two story cards on the first page:");
    println!("            湖南 Hunan: tampered terminals, money paid elsewhere");
    println!("            十堰 Shiyan: payments under CNY 500 that time out on one network line");
    if let Some(gateway) = ready.gateway {
        println!("            网关 Gateway in the menu: live payments of simulated terminals through {gateway}");
    }
    println!("  stop      Ctrl-C");
}

fn name_tenant(home: &mut Home) -> Result<()> {
    home.tenant.name = "测试支付有限公司 (demo)".to_owned();
    let tenant = home.tenant.clone();
    home.store.write(|tx| onus_store::tenants::put(tx, &tenant))?;
    Ok(())
}

/// The demo's administrator, with a password known for this run.
fn set_administrator(home: &Home, password: &str) -> Result<()> {
    let known = home.store.read(|tx| onus_store::users::by_username(tx, "admin"))?;
    match known {
        None => serve::add_user(home, "admin", password, "administrator", None),
        Some(_) => {
            onus_server::set_password(&home.store, "admin", password).map_err(|error| anyhow::anyhow!("{error}"))
        }
    }
}
