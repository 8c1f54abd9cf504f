"""What holds a transaction back in the stories: a transfer of the processor's that the log has no place for."""

from domain.restore import PaymentKind, external_payment_id
from domain.transaction.system_commands import BeginHold, EndHold

EXTERNAL = external_payment_id(PaymentKind.TRANSFER, "77")
HOLD = BeginHold(external_payment_id=EXTERNAL, kind=PaymentKind.TRANSFER, reference="po-77")
LET_GO = EndHold(external_payment_id=EXTERNAL)
