import { QueryClient, useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, ApiError, type Query } from './client';
import type { DecisionStepName, Page, StepBody, StepName } from './types';

export function newQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 30_000,
        refetchOnWindowFocus: false,
        retry: (count, error) => count < 1 && error instanceof ApiError && error.transient,
      },
    },
  });
}

export const useSession = () =>
  useQuery({ queryKey: ['session'], queryFn: ({ signal }) => api.session(signal), staleTime: Infinity });

export const useOverview = (date: string | undefined) =>
  useQuery({ queryKey: ['overview', date], queryFn: ({ signal }) => api.overview({ date }, signal) });

export const usePayment = (id: string) =>
  useQuery({ queryKey: ['payment', id], queryFn: ({ signal }) => api.payment(id, signal) });

export const useCheckpoint = () =>
  useQuery({ queryKey: ['checkpoint'], queryFn: ({ signal }) => api.checkpoint(signal), staleTime: Infinity });

export const useAgents = () => useQuery({ queryKey: ['agents'], queryFn: ({ signal }) => api.agents(signal) });

export const useEpisodes = () =>
  useQuery({ queryKey: ['episodes'], queryFn: ({ signal }) => api.episodes(signal), refetchInterval: 30_000 });

/** Alarms are looked at live, like the gateways. */
export const useAlarms = (enabled: boolean) =>
  useQuery({
    queryKey: ['alarms'],
    queryFn: ({ signal }) => api.alarms(signal),
    refetchInterval: 10_000,
    staleTime: 0,
    enabled,
  });

export const useEpisode = (id: string) =>
  useQuery({ queryKey: ['episode', id], queryFn: ({ signal }) => api.episode(id, signal) });

export const useBreak = (id: string) =>
  useQuery({ queryKey: ['break', id], queryFn: ({ signal }) => api.break(id, signal) });

/** Takes a step of resolving a break; what is on the screen is read anew, also when the step was refused. */
export function useTakeStep(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ step, body }: { step: StepName; body: StepBody }) => api.takeStep(id, step, body),
    onSuccess: (detail) => client.setQueryData(['break', id], detail),
    onError: () => void client.invalidateQueries({ queryKey: ['break', id] }),
    onSettled: () => void client.invalidateQueries({ queryKey: ['breaks'] }),
  });
}

export const useMonitoring = (query: Query) =>
  useQuery({ queryKey: ['monitoring', query], queryFn: ({ signal }) => api.monitoring(query, signal) });

export const useLimits = () => useQuery({ queryKey: ['limits'], queryFn: ({ signal }) => api.limits(signal) });

export const useLimitHistory = (id: string) =>
  useQuery({ queryKey: ['limits', id], queryFn: ({ signal }) => api.limitHistory(id, signal) });

export const usePacks = () => useQuery({ queryKey: ['packs'], queryFn: ({ signal }) => api.packs(signal) });

export const useShadow = (sha256: string) =>
  useQuery({ queryKey: ['shadow', sha256], queryFn: ({ signal }) => api.shadow(sha256, signal) });

/** Takes a step about a limit or a pack; all that it may change is read anew, also when it was refused. */
export function useDecide(what: 'limits' | 'packs') {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, step, note }: { id: string; step: DecisionStepName; note: string }) =>
      api.decide(what, id, step, note),
    onSettled: () => void client.invalidateQueries(),
  });
}

/** Takes a step about several verdicts. */
export function useRejudge() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ step, ids, note }: { step: DecisionStepName; ids: string[]; note: string }) =>
      api.rejudge(step, ids, note),
    onSettled: () => void client.invalidateQueries(),
  });
}

export const useFiles = () => useQuery({ queryKey: ['files'], queryFn: ({ signal }) => api.files(signal) });

/** Read anew every two seconds while somebody looks. */
export const useGateways = () =>
  useQuery({
    queryKey: ['gateways'],
    queryFn: ({ signal }) => api.gateways(signal),
    refetchInterval: 2_000,
    staleTime: 0,
  });

/** A list read page after page; `pages` keeps what each page carries beside its rows. */
function useSeek<T, Beside>(
  name: string,
  query: Query,
  read: (query: Query, signal: AbortSignal) => Promise<Page<T> & Beside>,
) {
  const result = useInfiniteQuery({
    queryKey: [name, query],
    queryFn: ({ pageParam, signal }) => read({ ...query, cursor: pageParam }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });
  const pages = result.data?.pages ?? [];
  return {
    items: pages.flatMap((page) => page.items),
    pages,
    loading: result.isPending,
    loadingMore: result.isFetchingNextPage,
    more: result.hasNextPage,
    loadMore: () => void result.fetchNextPage(),
    error: result.error,
    retry: () => void result.refetch(),
  };
}

export type Seek<T> = Omit<ReturnType<typeof useSeek<T, unknown>>, 'pages'>;

export const usePayments = (query: Query) => useSeek('payments', query, api.payments);
export const useTerminals = (query: Query) => useSeek('terminals', query, api.terminals);
export const useCases = (query: Query) => useSeek('cases', query, api.cases);
export const useBreaks = (query: Query) => useSeek('breaks', query, api.breaks);
export const useExpectations = (query: Query) => useSeek('expectations', query, api.expectations);
export const useRejudgements = (query: Query) => useSeek('rejudgements', query, api.rejudgements);
export const useDiversions = (query: Query) => useSeek('diversions', query, api.diversions);
export const useRejects = (query: Query) => useSeek('rejects', query, api.rejects);
export const useAudit = (query: Query) => useSeek('audit', query, api.audit);
