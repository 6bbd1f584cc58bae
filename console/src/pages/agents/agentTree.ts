import type { AgentRow } from '../../api/types';

export interface AgentNode extends AgentRow {
  children?: AgentNode[];
}

/** Agents below their parents; one whose parent is not visible (or missing) stands at the top. */
export function agentTree(agents: readonly AgentRow[]): AgentNode[] {
  const nodes = new Map<string, AgentNode>(agents.map((agent) => [agent.code, { ...agent }]));
  const tops: AgentNode[] = [];
  for (const node of nodes.values()) {
    const parent = node.parent_code === null ? undefined : nodes.get(node.parent_code);
    if (parent && parent !== node) (parent.children ??= []).push(node);
    else tops.push(node);
  }
  const byCode = (a: AgentNode, b: AgentNode) => a.code.localeCompare(b.code);
  for (const node of nodes.values()) node.children?.sort(byCode);
  return tops.sort(byCode);
}
