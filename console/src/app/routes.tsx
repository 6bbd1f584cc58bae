import { createBrowserRouter } from 'react-router';
import { ConsoleFrame } from './ConsoleFrame';
import { CrashPage } from './CrashPage';
import { Loading } from '../parts/states';

/** One chunk a page; the addresses are those that people bookmark and mail to each other. */
export function newRouter() {
  return createBrowserRouter([
    {
      path: '/',
      Component: ConsoleFrame,
      ErrorBoundary: CrashPage,
      HydrateFallback: Loading,
      children: [
        {
          ErrorBoundary: CrashPage,
          children: [
            { index: true, lazy: async () => ({ Component: (await import('../pages/overview/OverviewPage')).OverviewPage }) },
            { path: 'payments', lazy: async () => ({ Component: (await import('../pages/payments/PaymentsPage')).PaymentsPage }) },
            { path: 'payments/:id', lazy: async () => ({ Component: (await import('../pages/payment/PaymentPage')).PaymentPage }) },
            { path: 'terminals', lazy: async () => ({ Component: (await import('../pages/terminals/TerminalsPage')).TerminalsPage }) },
            { path: 'agents', lazy: async () => ({ Component: (await import('../pages/agents/AgentsPage')).AgentsPage }) },
            { path: 'episodes', lazy: async () => ({ Component: (await import('../pages/episodes/EpisodesPage')).EpisodesPage }) },
            { path: 'episodes/:id', lazy: async () => ({ Component: (await import('../pages/episode/EpisodePage')).EpisodePage }) },
            { path: 'cases', lazy: async () => ({ Component: (await import('../pages/cases/CasesPage')).CasesPage }) },
            { path: 'breaks', lazy: async () => ({ Component: (await import('../pages/breaks/BreaksPage')).BreaksPage }) },
            {
              path: 'expectations',
              lazy: async () => ({ Component: (await import('../pages/expectations/ExpectationsPage')).ExpectationsPage }),
            },
            { path: 'diversions', lazy: async () => ({ Component: (await import('../pages/diversions/DiversionsPage')).DiversionsPage }) },
            {
              path: 'rejudgements',
              lazy: async () => ({ Component: (await import('../pages/rejudgements/RejudgementsPage')).RejudgementsPage }),
            },
            { path: 'limits', lazy: async () => ({ Component: (await import('../pages/limits/LimitsPage')).LimitsPage }) },
            {
              path: 'monitoring',
              lazy: async () => ({ Component: (await import('../pages/monitoring/MonitoringPage')).MonitoringPage }),
            },
            { path: 'packs', lazy: async () => ({ Component: (await import('../pages/packs/PacksPage')).PacksPage }) },
            { path: 'gateways', lazy: async () => ({ Component: (await import('../pages/gateways/GatewaysPage')).GatewaysPage }) },
            { path: 'files', lazy: async () => ({ Component: (await import('../pages/files/FilesPage')).FilesPage }) },
            { path: 'audit', lazy: async () => ({ Component: (await import('../pages/audit/AuditPage')).AuditPage }) },
            { path: '*', lazy: async () => ({ Component: (await import('./NotFoundPage')).NotFoundPage }) },
          ],
        },
      ],
    },
  ]);
}
