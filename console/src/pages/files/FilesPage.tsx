import { useFiles } from '../../api/queries';
import { useT } from '../../i18n/locale';
import { PageTitle } from '../../parts/PageTitle';
import { Loaded } from '../../parts/states';
import { useFilters } from '../../parts/useFilters';
import { FilesTable } from './FilesTable';
import { RejectsPanel } from './RejectsPanel';

const FILTERS = ['file'] as const;

export function FilesPage() {
  const t = useT();
  const query = useFiles();
  const { values, set } = useFilters(FILTERS);
  const choose = (file: string | undefined) => set({ file });
  return (
    <>
      <PageTitle title={t.files.title} />
      <Loaded query={query}>
        {({ items }) => (
          <div className="stack">
            <FilesTable files={items} chosen={values.file} onChoose={choose} />
            <RejectsPanel file={items.find((file) => file.id === values.file)} onClear={() => choose(undefined)} />
          </div>
        )}
      </Loaded>
    </>
  );
}
