import { useEffect, useState } from 'react';
import type { EvidenceProof } from '../../api/types';
import { canVerify, verifyProof, type Verdict } from '../../proof/merkle';

export type ProofState = Verdict | { state: 'checking' } | { state: 'unavailable' };

/** Recomputes the inclusion proof in this browser whenever another proof is shown. */
export function useProof(evidence: EvidenceProof): ProofState {
  const [result, setResult] = useState<{ of: EvidenceProof; verdict: Verdict } | null>(null);
  const able = canVerify();

  useEffect(() => {
    if (!able) return;
    let current = true;
    void verifyProof(evidence).then((verdict) => {
      if (current) setResult({ of: evidence, verdict });
    });
    return () => {
      current = false;
    };
  }, [evidence, able]);

  if (!able) return { state: 'unavailable' };
  return result?.of === evidence ? result.verdict : { state: 'checking' };
}
