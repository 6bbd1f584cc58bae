import { LogoutOutlined, UserOutlined } from '@ant-design/icons';
import { Button, Layout, Segmented, Space, Tag } from 'antd';
import { api } from '../api/client';
import { formatTime } from '../format/time';
import { useLocale, type Locale } from '../i18n/locale';
import { useSignedIn } from './session';

export function HeaderBar() {
  const { t, locale, setLocale } = useLocale();
  const session = useSignedIn();

  return (
    <Layout.Header className="frame-header">
      <Space size="middle">
        <b data-testid="tenant">{session.tenant.name}</b>
        {session.as_of !== null && <span className="quiet">{t.app.asOf(formatTime(session.as_of, 'minute'))}</span>}
      </Space>
      <Space size="middle">
        <Segmented<Locale>
          data-testid="locale-switch"
          aria-label={t.app.language}
          value={locale}
          onChange={setLocale}
          options={[
            { value: 'zh-CN', label: '中文' },
            { value: 'en', label: 'English' },
          ]}
        />
        <span data-testid="user">
          <UserOutlined className="quiet" /> {session.username} <Tag variant="filled">{t.roles[session.role]}</Tag>
          {session.agent_code !== null && <Tag variant="filled">{session.agent_code}</Tag>}
        </span>
        <Button type="text" icon={<LogoutOutlined />} data-testid="sign-out" onClick={() => void api.signOut()}>
          {t.app.signOut}
        </Button>
      </Space>
    </Layout.Header>
  );
}
