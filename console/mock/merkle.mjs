import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';

/** RFC 6962 hashing, written from its recursive definition (the console walks the iterative one). */
const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();

export const leafHash = (body) => sha256(Buffer.of(0), body);

const split = (count) => 2 ** Math.floor(Math.log2(count - 1));

export function rootOf(leaves) {
  if (leaves.length === 1) return leaves[0];
  const k = split(leaves.length);
  return sha256(Buffer.of(1), rootOf(leaves.slice(0, k)), rootOf(leaves.slice(k)));
}

export function proofOf(leaves, index) {
  if (leaves.length === 1) return [];
  const k = split(leaves.length);
  return index < k
    ? [...proofOf(leaves.slice(0, k), index), rootOf(leaves.slice(k))]
    : [...proofOf(leaves.slice(k), index - k), rootOf(leaves.slice(0, k))];
}

const ORIGIN = 'onus.example/mock';
/** PKCS #8 wrapping of a fixed Ed25519 seed: this key guards nothing. */
const secret = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 7)]),
  format: 'der',
  type: 'pkcs8',
});
const typed = Buffer.concat([Buffer.of(1), createPublicKey(secret).export({ format: 'der', type: 'spki' }).subarray(-32)]);
const keyId = sha256(`${ORIGIN}\n`, typed).subarray(0, 4);

export const publicKey = `${ORIGIN}+${keyId.toString('hex')}+${typed.toString('base64')}`;

export function checkpointNote(leaves) {
  const text = `${ORIGIN}\n${leaves.length}\n${rootOf(leaves).toString('base64')}\n`;
  const signature = Buffer.concat([keyId, sign(null, Buffer.from(text), secret)]);
  return `${text}\n— ${ORIGIN} ${signature.toString('base64')}\n`;
}
