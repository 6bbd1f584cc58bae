import { Button, DatePicker, Segmented, Tag } from 'antd';
import dayjs from 'dayjs';
import { useMemo } from 'react';
import { useAgents, useEpisodes } from '../../api/queries';
import { KINDS, PARTIES } from '../../domain/codes';
import { nameOf, pickField, useLocale } from '../../i18n/locale';
import { AgentFilter, SelectFilter, TextFilter } from '../../parts/filters';
import type { useFilters } from '../../parts/useFilters';
import { AmountFilter } from './AmountFilter';
import type { FilterName } from './paymentQuery';

type Filters = ReturnType<typeof useFilters<FilterName>>;

/** Choices whose names follow the language, and those that come from the data. */
function useChoices() {
  const { t, locale } = useLocale();
  const agents = useAgents();
  const episodes = useEpisodes();
  return useMemo(
    () => ({
      kinds: KINDS.map((kind) => ({ value: kind, label: `${kind} ${nameOf(t.kinds, kind)}` })),
      causes: Object.entries(t.causes).map(([value, label]) => ({ value, label: `${label} ${value}` })),
      parties: PARTIES.map((value) => ({ value, label: nameOf(t.parties, value) })),
      cities: [...new Set((agents.data?.items ?? []).map((agent) => agent.city))]
        .filter((city) => city !== '')
        .sort((a, b) => a.localeCompare(b, locale))
        .map((city) => ({ value: city, label: city })),
      episodes: (episodes.data?.items ?? []).map((row) => ({ value: row.id, label: pickField(locale, row, 'title') })),
    }),
    [t, locale, agents.data, episodes.data],
  );
}

export function FilterBar({ filters }: { filters: Filters }) {
  const { t } = useLocale();
  const { values, set, clear, any } = filters;
  const choices = useChoices();
  const field = (name: FilterName) => ({
    value: values[name],
    onChange: (value: string | undefined) => set({ [name]: value }),
  });

  return (
    <div className="filter-bar" data-testid="payment-filters">
      <Segmented
        aria-label={t.payments.only}
        data-testid="filter-only"
        value={values.only === 'all' ? 'all' : 'exceptions'}
        onChange={(only) => set({ only: only === 'all' ? 'all' : undefined })}
        options={[
          { value: 'exceptions', label: t.payments.onlyExceptions },
          { value: 'all', label: t.payments.onlyAll },
        ]}
      />
      <TextFilter {...field('q')} placeholder={t.payments.search} width={330} testId="filter-q" />
      <DatePicker
        style={{ width: 130 }}
        placeholder={t.payments.date}
        aria-label={t.payments.date}
        value={values.date === undefined ? null : dayjs(values.date)}
        onChange={(day: dayjs.Dayjs | null) => set({ date: day?.format('YYYY-MM-DD') })}
      />
      <SelectFilter {...field('kind')} options={choices.kinds} placeholder={t.common.kind} width={140} testId="filter-kind" />
      <SelectFilter {...field('cause')} options={choices.causes} placeholder={t.common.cause} width={210} testId="filter-cause" />
      <SelectFilter {...field('outward')} options={choices.parties} placeholder={t.payments.outward} width={130} />
      <AgentFilter {...field('agent')} width={200} />
      <SelectFilter {...field('city')} options={choices.cities} placeholder={t.common.city} width={100} />
      <SelectFilter {...field('episode')} options={choices.episodes} placeholder={t.payments.episode} width={240} />
      <TextFilter {...field('merchant')} placeholder={t.payments.merchantCode} width={160} />
      <TextFilter {...field('tid')} placeholder={t.payments.tid} width={110} />
      <AmountFilter {...field('min_amount')} placeholder={t.payments.minAmount} />
      <AmountFilter {...field('max_amount')} placeholder={t.payments.maxAmount} />
      {values.diverted_by !== undefined && values.diverted !== undefined && (
        <Tag
          closable
          color="volcano"
          data-testid="filter-diverted"
          onClose={() => set({ diverted_by: undefined, diverted: undefined })}
        >
          {t.payments.diverted(nameOf(t.diversions.groupings, values.diverted_by), values.diverted)}
        </Tag>
      )}
      {any && (
        <Button type="link" onClick={clear} data-testid="clear-filters">
          {t.common.clear}
        </Button>
      )}
    </div>
  );
}
