import { fromBase64, toHex } from './merkle';

/**
 * Signed notes (the format of Go's checksum database): text, an empty line, signature lines. Checked
 * with the browser's own Ed25519.
 */

/** `missing`: no signature of this key. `unsupported`: this browser has no Ed25519. */
export type SignatureState = 'signed' | 'wrong' | 'missing' | 'unsupported' | 'malformed';

const ED25519 = 1;
const DASH = '— ';

interface NoteKey {
  name: string;
  id: string;
  key: Uint8Array<ArrayBuffer>;
}

/** Reads a key's text form, `name+id+base64`; the name itself may not hold a plus sign. */
export function parseNoteKey(text: string): NoteKey {
  const [name = '', id = '', ...rest] = text.trim().split('+');
  const bytes = fromBase64(rest.join('+'));
  if (name === '' || !/^[0-9a-f]{8}$/.test(id) || bytes.length !== 33 || bytes[0] !== ED25519) {
    throw new Error('not an Ed25519 note key');
  }
  return { name, id, key: bytes.slice(1) };
}

/** The signature of this key in the note, if there is one. */
function signatureOf(lines: string, wanted: NoteKey): Uint8Array<ArrayBuffer> | undefined {
  for (const line of lines.split('\n')) {
    if (!line.startsWith(DASH)) continue;
    const [name, blob = ''] = line.slice(DASH.length).split(' ');
    const bytes = fromBase64(blob);
    if (name === wanted.name && toHex(bytes.slice(0, 4)) === wanted.id) return bytes.slice(4);
  }
  return undefined;
}

/** Whether `note` carries a good signature of the key with the text form `keyText`. */
export async function checkNote(note: string, keyText: string): Promise<SignatureState> {
  let text: string;
  let signature: Uint8Array<ArrayBuffer> | undefined;
  let wanted: NoteKey;
  try {
    const split = note.lastIndexOf('\n\n');
    if (split < 0) return 'malformed';
    text = note.slice(0, split + 1);
    wanted = parseNoteKey(keyText);
    signature = signatureOf(note.slice(split + 2), wanted);
  } catch {
    return 'malformed';
  }
  if (!signature) return 'missing';
  try {
    const key = await crypto.subtle.importKey('raw', wanted.key, 'Ed25519', false, ['verify']);
    const good = await crypto.subtle.verify('Ed25519', key, signature, new TextEncoder().encode(text));
    return good ? 'signed' : 'wrong';
  } catch {
    return 'unsupported';
  }
}
