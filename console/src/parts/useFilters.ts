import { useCallback, useMemo } from 'react';
import { useSearchParams } from 'react-router';

/** Filters that live in the address, so that a view can be sent to a colleague. */
export function useFilters<N extends string>(names: readonly N[]) {
  const [params, setParams] = useSearchParams();

  const values = useMemo(() => {
    const read: Partial<Record<N, string>> = {};
    for (const name of names) {
      const value = params.get(name);
      if (value !== null && value !== '') read[name] = value;
    }
    return read;
  }, [params, names]);

  const set = useCallback(
    (changes: Partial<Record<N, string | undefined>>) => {
      setParams(
        (current) => {
          const next = new URLSearchParams(current);
          for (const [name, value] of Object.entries<string | undefined>(changes)) {
            if (value === undefined || value === '') next.delete(name);
            else next.set(name, value);
          }
          return next;
        },
        { replace: true },
      );
    },
    [setParams],
  );

  const clear = useCallback(() => setParams({}, { replace: true }), [setParams]);
  return { values, set, clear, any: Object.keys(values).length > 0 };
}
