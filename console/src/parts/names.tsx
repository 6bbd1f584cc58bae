import { Tag, Tooltip } from 'antd';
import { GRADE_COLORS, KIND_COLORS, STATE_COLORS, STATUS_COLORS } from '../domain/codes';
import { nameOf, useT } from '../i18n/locale';

/** Dark text on the light kinds, white on the others. */
const DARK_TEXT = new Set(['K2', 'K4']);

export function KindTag({ kind }: { kind: string }) {
  const t = useT();
  return (
    <Tooltip title={nameOf(t.kindHints, kind)}>
      <span
        className={`kind-tag${DARK_TEXT.has(kind) ? ' kind-tag-dark' : ''}`}
        style={{ background: KIND_COLORS[kind] ?? '#566472' }}
      >
        <b>{kind}</b> {nameOf(t.kinds, kind)}
      </span>
    </Tooltip>
  );
}

/** Cause in words, its code on hover. */
export function CauseName({ cause }: { cause: string }) {
  const t = useT();
  return <Tooltip title={cause}>{nameOf(t.causes, cause)}</Tooltip>;
}

export function StatusTag({ status }: { status: string }) {
  const t = useT();
  return (
    <Tag color={STATUS_COLORS[status] ?? 'default'} className="tag-flat">
      {nameOf(t.statuses, status)}
    </Tag>
  );
}

/** A role, or in the ledger a role with an id: `agent`, `agent:A0301`. */
export function PartyName({ party }: { party: string }) {
  const t = useT();
  const [role = '', id] = party.split(':');
  if (role === 'none' || role === '') return <span className="quiet">{t.parties.none}</span>;
  return (
    <>
      {nameOf(t.parties, role)}
      {id !== undefined && <span className="quiet number"> {id}</span>}
    </>
  );
}

/** The value of a fact: yes and no and parties in words, anything else as it was recorded. */
export function FactValue({ value }: { value: string }) {
  const t = useT();
  if (value === 'true' || value === 'false') return value === 'true' ? t.common.yes : t.common.no;
  return nameOf(t.parties, value);
}

export function StateTag({ state, names }: { state: string; names: Record<string, string> }) {
  return (
    <Tag color={STATE_COLORS[state.toLowerCase()] ?? 'default'} className="tag-flat">
      {nameOf(names, state)}
    </Tag>
  );
}

/** How far a source can be trusted. */
export function GradeTag({ grade }: { grade: string }) {
  const t = useT();
  return (
    <Tag color={GRADE_COLORS[grade] ?? 'default'} className="tag-flat">
      {grade} {nameOf(t.decisions.limits.grades, grade)}
    </Tag>
  );
}
