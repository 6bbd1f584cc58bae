/**
 * RFC 6962 inclusion proofs, checked here with the browser's own SHA-256, so that nobody has to take the
 * server's word for it.
 */

export type Side = 'left' | 'right';

export interface ProofStep {
  side: Side;
  sibling: string;
  hash: string;
}

export interface ProofCheck {
  root: string;
  steps: ProofStep[];
}

type Bytes = Uint8Array<ArrayBuffer>;

export function fromHex(text: string): Bytes {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) throw new Error(`not hexadecimal: ${text.slice(0, 80)}`);
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export function fromBase64(text: string): Bytes {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

/** False where the page is not a secure context (plain HTTP from another machine). */
export function canVerify(): boolean {
  return typeof globalThis.crypto === 'object' && typeof (globalThis.crypto.subtle as unknown) === 'object';
}

async function nodeHash(left: Bytes, right: Bytes): Promise<Bytes> {
  const data = new Uint8Array(1 + left.length + right.length);
  data[0] = 1;
  data.set(left, 1);
  data.set(right, 1 + left.length);
  return new Uint8Array(await crypto.subtle.digest('SHA-256', data));
}

/** The sides of the siblings from leaf to root, by index and tree size alone (RFC 9162, 2.1.3.2). */
export function sidesOf(index: number, size: number): Side[] {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) {
    throw new Error(`entry ${index} is not in a tree of ${size}`);
  }
  const sides: Side[] = [];
  let node = index;
  let last = size - 1;
  while (last > 0) {
    if (node % 2 === 1) sides.push('left');
    else if (node !== last) sides.push('right');
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  return sides;
}

/** Walks from the leaf hash to the root that the proof implies. */
export async function rootOf(leaf: string, index: number, size: number, proof: readonly string[]): Promise<ProofCheck> {
  const sides = sidesOf(index, size);
  if (sides.length !== proof.length) {
    throw new Error(`a proof for entry ${index} of ${size} has ${sides.length} hashes, this one has ${proof.length}`);
  }
  let hash = fromHex(leaf);
  const steps: ProofStep[] = [];
  for (const [level, side] of sides.entries()) {
    const text = proof[level] ?? '';
    const sibling = fromHex(text);
    hash = side === 'left' ? await nodeHash(sibling, hash) : await nodeHash(hash, sibling);
    steps.push({ side, sibling: text, hash: toHex(hash) });
  }
  return { root: toHex(hash), steps };
}

export interface Checkpoint {
  origin: string;
  size: number;
  root: string;
}

/** Reads the first three lines of a tlog-checkpoint note: origin, size, root in base64. */
export function parseCheckpoint(note: string): Checkpoint {
  const [origin = '', size = '', root = ''] = note.split('\n');
  if (origin === '' || !/^\d+$/.test(size)) throw new Error('not a checkpoint note');
  const bytes = fromBase64(root);
  if (bytes.length !== 32) throw new Error('the root of the checkpoint is not 32 bytes');
  return { origin, size: Number(size), root: toHex(bytes) };
}

export type Verdict =
  | { state: 'verified'; steps: ProofStep[] }
  | { state: 'failed'; reason: 'root' | 'checkpoint' | 'malformed'; detail: string; steps: ProofStep[] };

export interface ProofInput {
  leaf_hash: string;
  entry_index: number;
  tree_size: number;
  root: string;
  proof: readonly string[];
  checkpoint: string;
}

/** Verified only if the path leads to the root AND the signed checkpoint names that same root and size. */
export async function verifyProof(input: ProofInput): Promise<Verdict> {
  let steps: ProofStep[] = [];
  try {
    const walked = await rootOf(input.leaf_hash, input.entry_index, input.tree_size, input.proof);
    steps = walked.steps;
    if (walked.root !== input.root.toLowerCase()) {
      return { state: 'failed', reason: 'root', detail: walked.root, steps };
    }
    const checkpoint = parseCheckpoint(input.checkpoint);
    if (checkpoint.size !== input.tree_size || checkpoint.root !== walked.root) {
      return { state: 'failed', reason: 'checkpoint', detail: `${checkpoint.size} ${checkpoint.root}`, steps };
    }
    return { state: 'verified', steps };
  } catch (error) {
    return { state: 'failed', reason: 'malformed', detail: error instanceof Error ? error.message : String(error), steps };
  }
}
