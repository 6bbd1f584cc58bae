import { describe, expect, it } from 'vitest';
import { fromHex, parseCheckpoint, rootOf, sidesOf, toHex, verifyProof, type ProofInput } from './merkle';

/** RFC 6962, 2.1: the tree by its recursive definition, to check the iterative walk against. */
async function sha256(...parts: Uint8Array[]): Promise<Uint8Array> {
  const data = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest('SHA-256', data));
}

const leafOf = (text: string) => sha256(Uint8Array.of(0), new TextEncoder().encode(text));

const split = (count: number) => 2 ** Math.floor(Math.log2(count - 1));

async function treeRoot(leaves: Uint8Array[]): Promise<Uint8Array> {
  const [only] = leaves;
  if (leaves.length === 1 && only) return only;
  const k = split(leaves.length);
  return sha256(Uint8Array.of(1), await treeRoot(leaves.slice(0, k)), await treeRoot(leaves.slice(k)));
}

async function treeProof(leaves: Uint8Array[], index: number): Promise<Uint8Array[]> {
  if (leaves.length === 1) return [];
  const k = split(leaves.length);
  return index < k
    ? [...(await treeProof(leaves.slice(0, k), index)), await treeRoot(leaves.slice(k))]
    : [...(await treeProof(leaves.slice(k), index - k)), await treeRoot(leaves.slice(0, k))];
}

function note(size: number, root: Uint8Array): string {
  return `onus.test/log\n${size}\n${btoa(String.fromCharCode(...root))}\n\n— onus.test/log c2lnbmF0dXJl\n`;
}

async function inputFor(size: number, index: number): Promise<ProofInput> {
  const leaves = await Promise.all(Array.from({ length: size }, (_, n) => leafOf(`entry ${n}`)));
  const root = await treeRoot(leaves);
  const leaf = leaves[index];
  if (!leaf) throw new Error('no such leaf');
  return {
    leaf_hash: toHex(leaf),
    entry_index: index,
    tree_size: size,
    root: toHex(root),
    proof: (await treeProof(leaves, index)).map(toHex),
    checkpoint: note(size, root),
  };
}

describe('verifyProof', () => {
  it('verifies every entry of every tree up to 20 leaves', async () => {
    for (let size = 1; size <= 20; size += 1) {
      for (let index = 0; index < size; index += 1) {
        const verdict = await verifyProof(await inputFor(size, index));
        expect(verdict.state, `entry ${index} of ${size}`).toBe('verified');
      }
    }
  });

  it('agrees with the published vector of Certificate Transparency (8 leaves)', async () => {
    const leaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
    const hashes = await Promise.all(leaves.map((hex) => sha256(Uint8Array.of(0), fromHex(hex))));
    const root = '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328';
    expect(toHex(await treeRoot(hashes))).toBe(root);
    const proof = (await treeProof(hashes, 5)).map(toHex);
    const leaf = hashes[5];
    expect(leaf).toBeDefined();
    expect((await rootOf(toHex(leaf ?? new Uint8Array()), 5, 8, proof)).root).toBe(root);
  });

  it('refuses a changed leaf, sibling, order or index', async () => {
    const good = await inputFor(11, 6);
    const flipped = (hex: string) => (hex.startsWith('0') ? '1' : '0') + hex.slice(1);
    const bad: ProofInput[] = [
      { ...good, leaf_hash: flipped(good.leaf_hash) },
      { ...good, proof: good.proof.map((hash, level) => (level === 1 ? flipped(hash) : hash)) },
      { ...good, proof: [...good.proof].reverse() },
      { ...good, entry_index: 7 },
      { ...good, root: flipped(good.root) },
    ];
    for (const input of bad) expect(await verifyProof(input)).toMatchObject({ state: 'failed', reason: 'root' });
  });

  it('refuses a checkpoint that names another root or size', async () => {
    const good = await inputFor(11, 6);
    const other = await inputFor(12, 6);
    expect(await verifyProof({ ...good, checkpoint: other.checkpoint })).toMatchObject({
      state: 'failed',
      reason: 'checkpoint',
    });
  });

  it('refuses what is malformed without throwing', async () => {
    const good = await inputFor(5, 2);
    const bad: ProofInput[] = [
      { ...good, proof: good.proof.slice(1) },
      { ...good, leaf_hash: 'xyz' },
      { ...good, entry_index: 5 },
      { ...good, checkpoint: '' },
      { ...good, checkpoint: 'origin\n5\nbm90IGEgcm9vdA==\n' },
    ];
    for (const input of bad) expect(await verifyProof(input)).toMatchObject({ state: 'failed', reason: 'malformed' });
  });
});

describe('parts', () => {
  it('finds the sides from index and size', () => {
    expect(sidesOf(0, 1)).toEqual([]);
    expect(sidesOf(2, 3)).toEqual(['left']);
    expect(sidesOf(5, 8)).toEqual(['left', 'right', 'left']);
    expect(() => sidesOf(3, 3)).toThrow('not in a tree');
  });

  it('reads a checkpoint note', () => {
    const root = Uint8Array.from({ length: 32 }, (_, n) => n);
    expect(parseCheckpoint(note(42, root))).toEqual({ origin: 'onus.test/log', size: 42, root: toHex(root) });
  });
});
