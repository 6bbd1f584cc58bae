import { CheckCircleFilled, CloseCircleFilled, LoadingOutlined, QuestionCircleOutlined } from '@ant-design/icons';
import { Tag, Tooltip } from 'antd';
import { useT } from '../../i18n/locale';
import type { Dictionary } from '../../i18n/zh-CN';
import type { ProofState } from './useProof';

function failure(reason: 'root' | 'checkpoint' | 'malformed', t: Dictionary): string {
  switch (reason) {
    case 'root':
      return t.payment.browserFailedRoot;
    case 'checkpoint':
      return t.payment.browserFailedCheckpoint;
    case 'malformed':
      return t.payment.browserFailedMalformed;
  }
}

export function ProofBadge({ check }: { check: ProofState }) {
  const t = useT();
  const shared = { 'data-testid': 'proof-badge', 'data-state': check.state, className: 'tag-flat' };
  switch (check.state) {
    case 'checking':
      return (
        <Tag {...shared} icon={<LoadingOutlined />}>
          {t.payment.checking}
        </Tag>
      );
    case 'verified':
      return (
        <Tooltip title={t.payment.browserVerifiedHint}>
          <Tag {...shared} color="green" icon={<CheckCircleFilled />}>
            {t.payment.browserVerified}
          </Tag>
        </Tooltip>
      );
    case 'unavailable':
      return (
        <Tooltip title={t.payment.browserUnavailableHint}>
          <Tag {...shared} icon={<QuestionCircleOutlined />}>
            {t.payment.browserUnavailable}
          </Tag>
        </Tooltip>
      );
    case 'failed':
      return (
        <Tooltip title={check.detail}>
          <Tag {...shared} color="red" icon={<CloseCircleFilled />}>
            {t.payment.browserFailed}: {failure(check.reason, t)}
          </Tag>
        </Tooltip>
      );
  }
}
