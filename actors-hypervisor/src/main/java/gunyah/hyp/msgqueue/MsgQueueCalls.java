package gunyah.hyp.msgqueue;

import static gunyah.hyp.HypercallArgument.RES0;
import static gunyah.hyp.HypercallArgument.RES1;
import static gunyah.hyp.HypercallArgument.U32;
import static gunyah.hyp.HypercallArgument.VALUE;
import static gunyah.hyp.HypercallArgument.active;

import gunyah.hyp.HypError;
import gunyah.hyp.HypercallArgument;
import gunyah.hyp.HypercallRow;
import gunyah.hyp.ObjectType;
import gunyah.hyp.Rights;
import gunyah.hyp.VirqController;
import java.util.List;

/** Hypercalls on message queues (Gunyah hyp/interfaces/msgqueue). */
public final class MsgQueueCalls {
    private static final int PUSH = 1;
    private static final HypercallArgument VIC = active(ObjectType.VIC, Rights.VIC_BIND_SOURCE);

    private MsgQueueCalls() {
    }

    /** {@return the rows} */
    public static List<HypercallRow> rows() {
        return List.of(
                HypercallRow.of(0x17, "msgqueue_bind_send_virq", 0, (caller, queue, vic, x) ->
                        ((VirqController) vic).bind(((MsgQueue) queue).sendLine(), (int) x[2]),
                        queue(Rights.MSGQUEUE_BIND_SEND), VIC, U32, RES0)
                        .inputs("msgqueue", "vic", "virq_info")
                        .errors(HypError.VIRQ_BOUND, HypError.BUSY, HypError.ARGUMENT_INVALID),
                HypercallRow.of(0x18, "msgqueue_bind_receive_virq", 0, (caller, queue, vic, x) ->
                        ((VirqController) vic).bind(((MsgQueue) queue).receiveLine(), (int) x[2]),
                        queue(Rights.MSGQUEUE_BIND_RECEIVE), VIC, U32, RES0)
                        .inputs("msgqueue", "vic", "virq_info")
                        .errors(HypError.VIRQ_BOUND, HypError.BUSY, HypError.ARGUMENT_INVALID),
                HypercallRow.of(0x19, "msgqueue_unbind_send_virq", 0, (caller, queue, none, x) ->
                        MsgQueue.unbind(((MsgQueue) queue).sendLine()), queue(Rights.MSGQUEUE_BIND_SEND), RES0)
                        .inputs("msgqueue"),
                HypercallRow.of(0x1A, "msgqueue_unbind_receive_virq", 0, (caller, queue, none, x) ->
                        MsgQueue.unbind(((MsgQueue) queue).receiveLine()), queue(Rights.MSGQUEUE_BIND_RECEIVE), RES0)
                        .inputs("msgqueue"),
                HypercallRow.of(0x1B, "msgqueue_send", 1, (caller, queue, none, x) ->
                        ((MsgQueue) queue).send(caller, x[1], x[2], (x[3] & PUSH) != 0, x),
                        queue(Rights.MSGQUEUE_SEND), VALUE, VALUE, U32, RES0)
                        .inputs("msgqueue", "size", "data", "flags").outputs("not_full")
                        .errors(HypError.MSGQUEUE_FULL, HypError.ARGUMENT_SIZE, HypError.ARGUMENT_INVALID,
                                HypError.DENIED, HypError.ADDR_INVALID, HypError.ADDR_OVERFLOW).keepingResults(),
                HypercallRow.of(0x1C, "msgqueue_receive", 2, (caller, queue, none, x) ->
                        ((MsgQueue) queue).receive(caller, x[1], x[2], x),
                        queue(Rights.MSGQUEUE_RECEIVE), VALUE, VALUE, RES0)
                        .inputs("msgqueue", "buffer", "max_size").outputs("size", "not_empty")
                        .errors(HypError.MSGQUEUE_EMPTY, HypError.ADDR_OVERFLOW, HypError.ARGUMENT_INVALID,
                                HypError.DENIED, HypError.ADDR_INVALID).keepingResults(),
                HypercallRow.of(0x1D, "msgqueue_flush", 0, (caller, queue, none, x) ->
                        ((MsgQueue) queue).flush(), queue(Rights.MSGQUEUE_RECEIVE), RES0)
                        .inputs("msgqueue"),
                HypercallRow.of(0x1F, "msgqueue_configure_send", 0, (caller, queue, none, x) ->
                        ((MsgQueue) queue).configureSend((int) x[1], (int) x[2]),
                        queue(Rights.MSGQUEUE_SEND), U32, U32, RES1)
                        .inputs("msgqueue", "not_full_threshold", "delay")
                        .errors(HypError.ARGUMENT_INVALID, HypError.UNIMPLEMENTED),
                HypercallRow.of(0x20, "msgqueue_configure_receive", 0, (caller, queue, none, x) ->
                        ((MsgQueue) queue).configureReceive((int) x[1], (int) x[2]),
                        queue(Rights.MSGQUEUE_RECEIVE), U32, U32, RES1)
                        .inputs("msgqueue", "not_empty_threshold", "delay")
                        .errors(HypError.ARGUMENT_INVALID, HypError.UNIMPLEMENTED),
                HypercallRow.of(0x21, "msgqueue_configure", 0, (caller, queue, none, x) ->
                        ((MsgQueue) queue).configure(x[1]),
                        HypercallArgument.init(ObjectType.MSGQUEUE, Rights.OBJECT_ACTIVATE), VALUE, RES0)
                        .inputs("msgqueue", "create_info")
                        .errors(HypError.ARGUMENT_INVALID));
    }

    private static HypercallArgument queue(int rights) {
        return active(ObjectType.MSGQUEUE, rights);
    }
}
