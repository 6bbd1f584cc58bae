//! Registries: one reader for each, chosen by the file's kind.

use onus_fleet::rows::{
    Agent, Attestation, BinRange, Contract, CustodyEvent, Inspection, Institution, Link, Merchant, MerchantMonth,
    Place, RcText, RegistryRow, RiskHold, SettlementAccount, SoftwareRelease, Terminal, TerminalBinding, Training,
    UpdateOffer,
};
use onus_model::Span;

use crate::file_kind::FileKind;
use crate::row::{Row, RowError};
use crate::table::{Column, Fields, Header, columns};

/// Reads one record into a registry row.
pub(crate) type RegistryReader = Box<dyn Fn(Fields<'_>, Span) -> Result<Row, RowError> + Send>;

/// The reader of a registry; none when the kind is no registry.
pub(crate) fn reader(kind: FileKind, header: &Header) -> Option<Result<RegistryReader, RowError>> {
    let made = match kind {
        FileKind::Institutions => institutions(header),
        FileKind::BinTable => bins(header),
        FileKind::Links => links(header),
        FileKind::Agents => agents(header),
        FileKind::Contracts => contracts(header),
        FileKind::Merchants => merchants(header),
        FileKind::SettlementAccounts => accounts(header),
        FileKind::Terminals => terminals(header),
        FileKind::TerminalBindings => bindings(header),
        FileKind::Custody => custody(header),
        FileKind::Inspections => inspections(header),
        FileKind::Training => training(header),
        FileKind::SoftwareReleases => releases(header),
        FileKind::RcTables => rc_tables(header),
        FileKind::UpdateOffers => offers(header),
        FileKind::RiskHolds => holds(header),
        FileKind::Attestations => attestations(header),
        FileKind::MerchantHistory => months(header),
        _ => return None,
    };
    Some(made)
}

/// Wraps a reader of fields into a reader of rows.
fn rows<F>(read: F) -> Result<RegistryReader, RowError>
where
    F: Fn(Fields<'_>, Span) -> Result<RegistryRow, RowError> + Send + 'static,
{
    Ok(Box::new(move |fields, span| read(fields, span).map(Row::Registry)))
}

fn passed(fields: Fields<'_>, column: Column) -> Result<bool, RowError> {
    match fields.raw(column) {
        b"pass" => Ok(true),
        b"fail" => Ok(false),
        other => Err(RowError::value("result", "pass or fail", other)),
    }
}

columns!(InstitutionColumns { code = "code", name = "name", role = "role" });
fn institutions(header: &Header) -> Result<RegistryReader, RowError> {
    let c = InstitutionColumns::find(header)?;
    rows(move |f, _| {
        Ok(RegistryRow::Institution(Institution {
            code: f.owned(c.code)?,
            name: f.owned(c.name)?,
            role: f.owned(c.role)?,
        }))
    })
}

columns!(BinColumns { bin = "bin", code = "issuer_code", name = "issuer_name" });
fn bins(header: &Header) -> Result<RegistryReader, RowError> {
    let c = BinColumns::find(header)?;
    rows(move |f, _| {
        Ok(RegistryRow::Bin(BinRange {
            bin: f.small(c.bin)?,
            issuer_code: f.owned(c.code)?,
            issuer_name: f.owned(c.name)?,
        }))
    })
}

columns!(LinkColumns { id = "link_id", side = "side", name = "name", operated_by = "operated_by", carries = "carries" });
fn links(header: &Header) -> Result<RegistryReader, RowError> {
    let c = LinkColumns::find(header)?;
    rows(move |f, _| {
        Ok(RegistryRow::Link(Link {
            id: f.small(c.id)?,
            side: f.owned(c.side)?,
            name: f.owned(c.name)?,
            operated_by: f.owned(c.operated_by)?,
            carries: f.owned(c.carries)?,
        }))
    })
}

columns!(AgentColumns {
    code = "agent_code", parent = "parent_code", level = "level", name = "name", filing_no = "filing_no", filing_valid_to = "filing_valid_to",
    city = "city", status = "status", deposit = "deposit_fen", floor = "deposit_floor_fen", recourse = "recourse_share_bp",
    interval = "inspection_interval_days", slips = "slips_kept_by",
});
fn agents(header: &Header) -> Result<RegistryReader, RowError> {
    let c = AgentColumns::find(header)?;
    rows(move |f, span| {
        let parent = f.owned(c.parent)?;
        Ok(RegistryRow::Agent(Agent {
            span,
            code: f.owned(c.code)?,
            parent_code: (!parent.is_empty()).then_some(parent),
            level: f.money(c.level)?,
            name: f.owned(c.name)?,
            city: f.owned(c.city)?,
            status: f.owned(c.status)?,
            filing_no: f.owned(c.filing_no)?,
            filing_valid_to: f.owned(c.filing_valid_to)?,
            deposit_minor: f.money(c.deposit)?,
            deposit_floor_minor: f.money(c.floor)?,
            recourse_share_bp: f.money(c.recourse)?,
            inspection_interval_days: f.money(c.interval)?,
            slips_kept_by: f.owned(c.slips)?,
        }))
    })
}

columns!(ContractColumns { no = "agreement_no", party = "party", from = "effective_from", to = "effective_to", clauses = "clauses_json" });
fn contracts(header: &Header) -> Result<RegistryReader, RowError> {
    let c = ContractColumns::find(header)?;
    rows(move |f, span| {
        Ok(RegistryRow::Contract(Contract {
            span,
            agreement_no: f.owned(c.no)?,
            party: f.owned(c.party)?,
            effective_from: f.owned(c.from)?,
            effective_to: f.owned(c.to)?,
            clauses_json: f.owned(c.clauses)?,
        }))
    })
}

columns!(MerchantColumns {
    code = "merchant_code", name = "name", mcc = "mcc", city = "city", agent = "agent_code", status = "status", closed = "closed",
    switch_config = "switch_config",
});
fn merchants(header: &Header) -> Result<RegistryReader, RowError> {
    let c = MerchantColumns::find(header)?;
    rows(move |f, span| {
        Ok(RegistryRow::Merchant(Merchant {
            span,
            code: f.code(c.code)?,
            name: f.owned(c.name)?,
            mcc: f.owned(c.mcc)?,
            city: f.owned(c.city)?,
            agent_code: f.owned(c.agent)?,
            status: f.owned(c.status)?,
            closed: f.date_or_none(c.closed)?,
            switch_config: f.owned(c.switch_config)?,
        }))
    })
}

columns!(AccountColumns {
    id = "change_id", merchant = "merchant_code", no = "account_no", name = "account_name", from = "valid_from", to = "valid_to", by = "changed_by",
    dual = "dual_control", confirmed = "merchant_confirmed",
});
fn accounts(header: &Header) -> Result<RegistryReader, RowError> {
    let c = AccountColumns::find(header)?;
    rows(move |f, span| {
        Ok(RegistryRow::Account(SettlementAccount {
            span,
            change_id: f.owned(c.id)?,
            merchant: f.code(c.merchant)?,
            account_no: f.owned(c.no)?,
            account_name: f.owned(c.name)?,
            valid_from: f.instant(c.from)?,
            valid_to: f.instant_or_none(c.to)?,
            changed_by: f.owned(c.by)?,
            dual_control: f.yes(c.dual)?,
            merchant_confirmed: f.yes(c.confirmed)?,
        }))
    })
}

columns!(TerminalColumns { serial = "serial", tid = "tid", model = "model", batch = "production_batch", sold_by = "sold_by", app = "app_at_start" });
fn terminals(header: &Header) -> Result<RegistryReader, RowError> {
    let c = TerminalColumns::find(header)?;
    rows(move |f, span| {
        Ok(RegistryRow::Terminal(Terminal {
            span,
            serial: f.owned(c.serial)?,
            tid: f.code(c.tid)?,
            model: f.owned(c.model)?,
            production_batch: f.owned(c.batch)?,
            sold_by: f.owned(c.sold_by)?,
            app_version: f.owned(c.app)?,
        }))
    })
}

columns!(BindingColumns { serial = "serial", tid = "tid", merchant = "merchant_code", lat = "lat", lon = "lon", from = "valid_from", to = "valid_to" });
fn bindings(header: &Header) -> Result<RegistryReader, RowError> {
    let c = BindingColumns::find(header)?;
    rows(move |f, span| {
        Ok(RegistryRow::Binding(TerminalBinding {
            span,
            serial: f.owned(c.serial)?,
            tid: f.code(c.tid)?,
            merchant: f.code(c.merchant)?,
            place: Place { lat_e5: f.degrees(c.lat)?, lon_e5: f.degrees(c.lon)? },
            valid_from: f.instant(c.from)?,
            valid_to: f.instant_or_none(c.to)?,
        }))
    })
}

columns!(CustodyColumns { at = "at", serial = "serial", event = "event", by = "by", note = "note", after = "app_after" });
fn custody(header: &Header) -> Result<RegistryReader, RowError> {
    let c = CustodyColumns::find(header)?;
    rows(move |f, span| {
        Ok(RegistryRow::Custody(CustodyEvent {
            span,
            at: f.instant(c.at)?,
            serial: f.owned(c.serial)?,
            event: f.owned(c.event)?,
            by: f.owned(c.by)?,
            note: f.owned(c.note)?,
            app_after: if f.raw(c.after).is_empty() { None } else { Some(f.sha256(c.after)?) },
        }))
    })
}

columns!(InspectionColumns { at = "at", serial = "serial", kind = "kind", result = "result" });
fn inspections(header: &Header) -> Result<RegistryReader, RowError> {
    let c = InspectionColumns::find(header)?;
    rows(move |f, span| {
        Ok(RegistryRow::Inspection(Inspection {
            span,
            at: f.instant(c.at)?,
            serial: f.owned(c.serial)?,
            kind: f.owned(c.kind)?,
            passed: passed(f, c.result)?,
        }))
    })
}

columns!(TrainingColumns { operator = "operator", employer = "employer", date = "date", result = "result", valid_to = "valid_to" });
fn training(header: &Header) -> Result<RegistryReader, RowError> {
    let c = TrainingColumns::find(header)?;
    rows(move |f, _| {
        Ok(RegistryRow::Training(Training {
            operator: f.owned(c.operator)?,
            employer: f.owned(c.employer)?,
            date: f.owned(c.date)?,
            passed: passed(f, c.result)?,
            valid_to: f.owned(c.valid_to)?,
        }))
    })
}

columns!(ReleaseColumns {
    version = "version", sha256 = "sha256", rc_table = "rc_table", at = "approved_at", by_1 = "approved_by_1", by_2 = "approved_by_2",
    status = "status",
});
fn releases(header: &Header) -> Result<RegistryReader, RowError> {
    let c = ReleaseColumns::find(header)?;
    rows(move |f, _| {
        let (first, second) = (f.text(c.by_1)?, f.text(c.by_2)?);
        Ok(RegistryRow::Release(SoftwareRelease {
            version: f.owned(c.version)?,
            sha256: f.sha256(c.sha256)?,
            rc_table: f.owned(c.rc_table)?,
            status: f.owned(c.status)?,
            approved_at: f.instant(c.at)?,
            dual_control: !first.is_empty() && !second.is_empty() && first != second,
        }))
    })
}

columns!(RcColumns { table = "rc_table", rc = "rc", text = "text" });
fn rc_tables(header: &Header) -> Result<RegistryReader, RowError> {
    let c = RcColumns::find(header)?;
    rows(move |f, _| {
        Ok(RegistryRow::RcText(RcText { rc_table: f.owned(c.table)?, rc: f.owned(c.rc)?, text: f.owned(c.text)? }))
    })
}

columns!(OfferColumns { at = "offered_at", serial = "serial", version = "version", outcome = "outcome", by = "by" });
fn offers(header: &Header) -> Result<RegistryReader, RowError> {
    let c = OfferColumns::find(header)?;
    rows(move |f, span| {
        Ok(RegistryRow::Offer(UpdateOffer {
            span,
            offered_at: f.instant(c.at)?,
            serial: f.owned(c.serial)?,
            version: f.owned(c.version)?,
            outcome: f.owned(c.outcome)?,
            by: f.owned(c.by)?,
        }))
    })
}

columns!(HoldColumns { id = "hold_id", merchant = "merchant_code", from = "from", to = "to", ground = "ground", notice = "notice_sent" });
fn holds(header: &Header) -> Result<RegistryReader, RowError> {
    let c = HoldColumns::find(header)?;
    rows(move |f, span| {
        Ok(RegistryRow::Hold(RiskHold {
            span,
            hold_id: f.owned(c.id)?,
            merchant: f.code(c.merchant)?,
            from: f.date(c.from)?,
            to: f.date_or_none(c.to)?,
            ground: f.owned(c.ground)?,
            notice_sent: f.yes(c.notice)?,
        }))
    })
}

columns!(AttestationColumns {
    at = "at", serial = "serial", sha256 = "reported_sha256", tamper = "tamper_switch", lat = "lat", lon = "lon",
});
fn attestations(header: &Header) -> Result<RegistryReader, RowError> {
    let c = AttestationColumns::find(header)?;
    rows(move |f, span| {
        Ok(RegistryRow::Attestation(Attestation {
            span,
            at: f.instant(c.at)?,
            serial: f.owned(c.serial)?,
            sha256: f.sha256(c.sha256)?,
            tamper_switch: f.number(c.tamper)? != 0,
            place: Place { lat_e5: f.degrees(c.lat)?, lon_e5: f.degrees(c.lon)? },
        }))
    })
}

columns!(MonthColumns { merchant = "merchant_code", month = "month", payments = "payments", amount = "amount_fen", refused = "refused" });
fn months(header: &Header) -> Result<RegistryReader, RowError> {
    let c = MonthColumns::find(header)?;
    rows(move |f, _| {
        Ok(RegistryRow::Month(MerchantMonth {
            merchant: f.code(c.merchant)?,
            month: f.owned(c.month)?,
            payments: f.money(c.payments)?,
            amount_minor: f.money(c.amount)?,
            refused: f.money(c.refused)?,
        }))
    })
}
