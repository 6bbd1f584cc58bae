import { theme, type ThemeConfig } from 'antd';

const INK = '#1b2733';
const PRIMARY = '#1d4e79';

/** Also for the charts, which draw their own text. */
export const FONT =
  "-apple-system, BlinkMacSystemFont, 'Segoe UI', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans SC', 'Noto Sans CJK SC', sans-serif";

/** Dense and quiet: small type, thin borders, colour only where it says something. */
export const consoleTheme: ThemeConfig = {
  algorithm: theme.compactAlgorithm,
  token: {
    colorPrimary: PRIMARY,
    colorLink: '#1d5f99',
    colorInfo: PRIMARY,
    colorError: '#b8323a',
    colorWarning: '#c77f17',
    colorSuccess: '#2f7d4f',
    colorText: INK,
    colorTextSecondary: '#566472',
    colorBgLayout: '#f2f4f7',
    colorBorderSecondary: '#e3e8ee',
    borderRadius: 4,
    fontSize: 15, // the compact algorithm takes two off: text is 13 px
    fontFamily: FONT,
    fontFamilyCode: "ui-monospace, 'SFMono-Regular', Consolas, 'Liberation Mono', monospace",
  },
  components: {
    Table: { headerBg: '#f6f8fa', headerColor: '#45525f', rowHoverBg: '#f3f7fb', cellPaddingBlockSM: 5, cellPaddingInlineSM: 8 },
    Layout: { headerBg: '#ffffff', headerHeight: 48, headerPadding: '0 16px', siderBg: '#17222e', triggerBg: '#101922', triggerColor: '#91a1b1' },
    Menu: {
      darkItemBg: '#17222e',
      darkItemSelectedBg: '#1d4e79',
      darkItemColor: '#b9c5d1',
      itemHeight: 36,
      darkSubMenuItemBg: '#17222e',
    },
    Card: { headerHeightSM: 36 },
  },
};
