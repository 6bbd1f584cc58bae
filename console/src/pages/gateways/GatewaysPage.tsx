import { useGateways } from '../../api/queries';
import { useT } from '../../i18n/locale';
import { PageTitle } from '../../parts/PageTitle';
import { Panel } from '../../parts/Panel';
import { EmptyState, Loaded } from '../../parts/states';
import { GatewaySection } from './GatewaySection';
import './gateways.css';

export function GatewaysPage() {
  const t = useT();
  const query = useGateways();
  return (
    <>
      <PageTitle title={t.gateways.title} intro={t.gateways.intro} />
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Panel title={t.gateways.title} testId="gateways-empty">
              <EmptyState text={t.gateways.none} hint={t.gateways.howTo} />
            </Panel>
          ) : (
            <div className="stack">
              {items.map((row) => (
                <GatewaySection key={row.instance} row={row} />
              ))}
            </div>
          )
        }
      </Loaded>
    </>
  );
}
