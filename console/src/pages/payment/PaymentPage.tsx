import { ArrowLeftOutlined } from '@ant-design/icons';
import { Link, useParams } from 'react-router';
import { usePayment } from '../../api/queries';
import type { PaymentDetail } from '../../api/types';
import { useT } from '../../i18n/locale';
import { EmptyState, Loaded } from '../../parts/states';
import { BreaksPanel } from './BreaksPanel';
import { ExceptionSection } from './ExceptionSection';
import { FourLegs } from './FourLegs';
import { PaymentHeader } from './PaymentHeader';
import './payment.css';

function PaymentBody({ detail }: { detail: PaymentDetail }) {
  const t = useT();
  return (
    <div className="stack">
      <PaymentHeader detail={detail} />
      <FourLegs legs={detail.legs} breaks={detail.breaks} />
      {detail.breaks.length > 0 && <BreaksPanel breaks={detail.breaks} />}
      {detail.exceptions.length === 0 ? (
        <EmptyState text={t.payment.noExceptions} hint={t.payment.noExceptionsHint} />
      ) : (
        detail.exceptions.map((exception) => <ExceptionSection key={exception.kind} exception={exception} />)
      )}
    </div>
  );
}

export function PaymentPage() {
  const t = useT();
  const { id = '' } = useParams();
  const query = usePayment(id);
  return (
    <>
      <Link to="/payments" className="back-link">
        <ArrowLeftOutlined /> {t.payment.backToList}
      </Link>
      <Loaded query={query}>{(detail) => <PaymentBody detail={detail} />}</Loaded>
    </>
  );
}
