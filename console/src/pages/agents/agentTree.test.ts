import { describe, expect, it } from 'vitest';
import type { AgentRow } from '../../api/types';
import { agentTree, type AgentNode } from './agentTree';

const agent = (code: string, parent_code: string | null): AgentRow => ({
  code,
  parent_code,
  level: parent_code === null ? 1 : 2,
  name: code,
  city: '',
  status: 'active',
  filing_no: '',
  filing_valid_to: '',
  deposit_minor: 0,
  deposit_floor_minor: 0,
  recourse_share_bp: 0,
  terminals: 0,
  payments: 0,
  exceptions: 0,
  loss_minor: 0,
  borne_minor: 0,
});

const shape = (nodes: AgentNode[]): unknown[] => nodes.map((node) => [node.code, shape(node.children ?? [])]);

describe('agentTree', () => {
  it('puts agents below their parents, in order of code', () => {
    const tree = agentTree([agent('A0102', 'A01'), agent('A02', null), agent('A0101', 'A01'), agent('A01', null)]);
    expect(shape(tree)).toEqual([
      ['A01', [['A0101', []], ['A0102', []]]],
      ['A02', []],
    ]);
  });

  it('keeps an agent whose parent is out of sight', () => {
    expect(shape(agentTree([agent('A0301', 'A03')]))).toEqual([['A0301', []]]);
    expect(shape(agentTree([agent('A01', 'A01')]))).toEqual([['A01', []]]);
  });
});
