import { describe, expect, it } from 'vitest';
import { checkNote, parseNoteKey } from './note';

/** Published by Go: a key with its signed text, and a checkpoint of the checksum database. */
const PETER = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const PETER_NOTE =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n" +
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
const SUMDB = 'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8';
const SUMDB_NOTE =
  'go.sum database tree\n49189689\nftjbAOzaupaIvaPo/G+Dk63nxOZ2s1OPOKIaPtXs7S4=\n\n' +
  '— sum.golang.org Az3grlKZssqRoMNPpZfKt0TphbbcF+pzXqElURJKRNFKfaUAgqeI5k2AORH0QAhg/ebRwyIqD/OqP4oLtLnNumvOBAM=\n';

describe('checkNote', () => {
  it('accepts notes that Go signed', async () => {
    expect(await checkNote(PETER_NOTE, PETER)).toBe('signed');
    expect(await checkNote(SUMDB_NOTE, SUMDB)).toBe('signed');
  });

  it('refuses a changed text', async () => {
    expect(await checkNote(SUMDB_NOTE.replace('49189689', '49189688'), SUMDB)).toBe('wrong');
  });

  it('does not take one key for another', async () => {
    expect(await checkNote(SUMDB_NOTE, PETER)).toBe('missing');
  });

  it('says when note or key cannot be read', async () => {
    expect(await checkNote('no empty line', SUMDB)).toBe('malformed');
    expect(await checkNote(SUMDB_NOTE, 'not a key')).toBe('malformed');
    expect(() => parseNoteKey('name+00000000+AAAA')).toThrow('not an Ed25519 note key');
  });
});
