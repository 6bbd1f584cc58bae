/** The closed code lists of the domain, in the order in which people read them. */

export const KINDS = ['K1', 'K2', 'K3', 'K4', 'K5', 'K6', 'K7', 'K8'] as const;

/** Calm for what is ordinary (declines), warm for what costs money. Distinct for colour-blind readers. */
export const KIND_COLORS: Record<string, string> = {
  K1: '#6b7f99',
  K2: '#a9b7c6',
  K3: '#8a6bbf',
  K4: '#d9a036',
  K5: '#d4691e',
  K6: '#b8323a',
  K7: '#3f8fb5',
  K8: '#6d4a2f',
};

export const PARTIES = [
  'acquirer',
  'agent',
  'merchant',
  'issuer',
  'network',
  'producer',
  'cardholder',
  'suspense',
  'none',
] as const;

export const PARTY_COLORS: Record<string, string> = {
  acquirer: '#1d4e79',
  agent: '#c8553d',
  merchant: '#7a9e3e',
  issuer: '#8a6bbf',
  network: '#3f8fb5',
  producer: '#a98b5d',
  cardholder: '#9aa7b5',
  suspense: '#d9a036',
  none: '#c3ccd6',
};

/** Certainty is no alarm: the surer, the more colour. */
export const STATUS_COLORS: Record<string, string> = {
  confirmed: 'blue',
  probable: 'cyan',
  possible: 'gold',
  excluded: 'default',
};

export const CASE_STATES = [
  'OPEN',
  'CONTACTED',
  'DIAGNOSED',
  'PROPOSED',
  'ACCEPTED',
  'FULFILLED',
  'CLOSED',
  'REFUSED',
  'SILENT',
  'COMPLAINT_BANK',
  'COMPLAINT_REGULATOR',
  'LEGAL',
  'HELD',
  'WITHDRAWN',
  'MERGED',
] as const;

export const TERMINAL_STATES = [
  'active',
  'suspect',
  'quarantined',
  'rectified',
  'new',
  'tested',
  'sold',
  'retired',
] as const;

/** Colour of a state tag: grey is settled, blue is under way, warm needs somebody. */
export const STATE_COLORS: Record<string, string> = {
  ...STATUS_COLORS,
  open: 'blue',
  contacted: 'blue',
  diagnosed: 'blue',
  proposed: 'blue',
  accepted: 'cyan',
  approved: 'cyan',
  acted: 'geekblue',
  rejected: 'orange',
  failed: 'volcano',
  reopened: 'red',
  fulfilled: 'green',
  done: 'green',
  closed: 'default',
  withdrawn: 'default',
  merged: 'default',
  refused: 'volcano',
  silent: 'orange',
  complaint_bank: 'volcano',
  complaint_regulator: 'volcano',
  legal: 'red',
  held: 'gold',
  active: 'green',
  suspect: 'orange',
  quarantined: 'red',
  rectified: 'cyan',
  tested: 'cyan',
  watch: 'gold',
  suspended: 'volcano',
  terminating: 'volcano',
  blacklisted: 'red',
};

/** "072" -> contactless without PIN: first two digits the way of entry, the third the PIN. */
export function entryParts(mode: string): { entry: string; pin: string } {
  return { entry: mode.slice(0, 2), pin: mode.slice(2, 3) };
}

/** Grades of sources, from read in the text to believed; P is a default of the product. */
export const GRADE_COLORS: Record<string, string> = { S: 'green', R: 'blue', T: 'orange', B: 'red', P: 'default' };
