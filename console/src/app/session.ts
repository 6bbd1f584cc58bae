import { createContext, use } from 'react';
import type { Session } from '../api/types';

export const SessionContext = createContext<Session | null>(null);

/** The signed-in user; every page is shown inside the frame that reads it first. */
export function useSignedIn(): Session {
  const session = use(SessionContext);
  if (!session) throw new Error('useSignedIn outside ConsoleFrame');
  return session;
}

/** Who may read the audit log; the server holds the same rule. */
export function maySeeAudit(session: Session): boolean {
  return session.role === 'administrator' || session.role === 'reviewer';
}

/** Files cover a whole acquirer, so an agent's users do not see them. */
export function maySeeFiles(session: Session): boolean {
  return session.role !== 'agent';
}

/** A gateway carries the payments of many agents; the server holds the same rule. */
export const maySeeGateways = maySeeFiles;

/** What might become of verdicts is the acquirer's to look at; the server holds the same rule. */
export const maySeeDecisions = maySeeFiles;
