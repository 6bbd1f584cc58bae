import {
  AlertOutlined,
  ApartmentOutlined,
  AuditOutlined,
  ClusterOutlined,
  CreditCardOutlined,
  DashboardOutlined,
  DiffOutlined,
  FundOutlined,
  FieldTimeOutlined,
  FileSearchOutlined,
  FolderOpenOutlined,
  ForkOutlined,
  HistoryOutlined,
  HourglassOutlined,
  MobileOutlined,
  ReadOutlined,
} from '@ant-design/icons';
import { Layout, Menu } from 'antd';
import { useState, type ReactNode } from 'react';
import { Link, useLocation } from 'react-router';
import { useT } from '../i18n/locale';
import type { Dictionary } from '../i18n/zh-CN';
import { maySeeAudit, maySeeDecisions, maySeeFiles, maySeeGateways, useSignedIn } from './session';
import type { Session } from '../api/types';

interface Entry {
  name: keyof Dictionary['nav'];
  path: string;
  icon: ReactNode;
  allowed?: (session: Session) => boolean;
}

const ENTRIES: Entry[] = [
  { name: 'overview', path: '/', icon: <DashboardOutlined /> },
  { name: 'payments', path: '/payments', icon: <CreditCardOutlined /> },
  { name: 'episodes', path: '/episodes', icon: <AlertOutlined /> },
  { name: 'cases', path: '/cases', icon: <FolderOpenOutlined /> },
  { name: 'breaks', path: '/breaks', icon: <DiffOutlined /> },
  { name: 'expectations', path: '/expectations', icon: <HourglassOutlined /> },
  { name: 'diversions', path: '/diversions', icon: <ForkOutlined /> },
  { name: 'agents', path: '/agents', icon: <ApartmentOutlined /> },
  { name: 'terminals', path: '/terminals', icon: <MobileOutlined /> },
  { name: 'rejudgements', path: '/rejudgements', icon: <HistoryOutlined />, allowed: maySeeDecisions },
  { name: 'limits', path: '/limits', icon: <FieldTimeOutlined />, allowed: maySeeDecisions },
  { name: 'monitoring', path: '/monitoring', icon: <FundOutlined />, allowed: maySeeDecisions },
  { name: 'packs', path: '/packs', icon: <ReadOutlined />, allowed: maySeeDecisions },
  { name: 'gateways', path: '/gateways', icon: <ClusterOutlined />, allowed: maySeeGateways },
  { name: 'files', path: '/files', icon: <FileSearchOutlined />, allowed: maySeeFiles },
  { name: 'audit', path: '/audit', icon: <AuditOutlined />, allowed: maySeeAudit },
];

export function SideMenu() {
  const t = useT();
  const session = useSignedIn();
  const { pathname } = useLocation();
  const [collapsed, setCollapsed] = useState(false);
  const current = `/${pathname.split('/')[1] ?? ''}`;

  return (
    <Layout.Sider
      className="frame-sider"
      width={184}
      collapsedWidth={56}
      collapsible
      breakpoint="lg"
      collapsed={collapsed}
      onCollapse={setCollapsed}
    >
      <Link to="/" className="frame-brand" aria-label={t.app.name}>
        <img src="/favicon.svg" alt="" width={24} height={24} />
        {!collapsed && (
          <span>
            <b>{t.app.name}</b>
            <small>{t.app.tagline}</small>
          </span>
        )}
      </Link>
      <Menu
        theme="dark"
        mode="inline"
        aria-label={t.app.menu}
        selectedKeys={[current]}
        items={ENTRIES.filter((entry) => entry.allowed?.(session) ?? true).map((entry) => ({
          key: entry.path,
          icon: entry.icon,
          label: (
            <Link to={entry.path} data-testid={`nav-${entry.name}`}>
              {t.nav[entry.name]}
            </Link>
          ),
        }))}
      />
    </Layout.Sider>
  );
}
