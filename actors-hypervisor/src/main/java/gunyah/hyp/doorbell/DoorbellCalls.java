package gunyah.hyp.doorbell;

import static gunyah.hyp.HypercallArgument.RES0;
import static gunyah.hyp.HypercallArgument.VALUE;
import static gunyah.hyp.HypercallArgument.active;

import gunyah.hyp.HypError;
import gunyah.hyp.HypercallArgument;
import gunyah.hyp.HypercallRow;
import gunyah.hyp.ObjectType;
import gunyah.hyp.Rights;
import gunyah.hyp.VirqController;
import java.util.List;

/** Hypercalls on doorbells (Gunyah hyp/interfaces/doorbell). */
public final class DoorbellCalls {
    private DoorbellCalls() {
    }

    /** {@return the rows} */
    public static List<HypercallRow> rows() {
        return List.of(
                HypercallRow.of(0x10, "doorbell_bind_virq", 0, (caller, doorbell, vic, x) ->
                        ((Doorbell) doorbell).bind((VirqController) vic, (int) x[2]),
                        doorbell(Rights.DOORBELL_BIND), active(ObjectType.VIC, Rights.VIC_BIND_SOURCE),
                        HypercallArgument.U32, RES0)
                        .inputs("doorbell", "vic", "virq_info")
                        .errors(HypError.VIRQ_BOUND, HypError.BUSY, HypError.ARGUMENT_INVALID),
                HypercallRow.of(0x11, "doorbell_unbind_virq", 0, (caller, doorbell, none, x) ->
                        ((Doorbell) doorbell).unbind(), doorbell(Rights.DOORBELL_BIND), RES0)
                        .inputs("doorbell"),
                HypercallRow.of(0x12, "doorbell_send", 1, (caller, doorbell, none, x) ->
                        ((Doorbell) doorbell).send(x[1], x), doorbell(Rights.DOORBELL_SEND), VALUE, RES0)
                        .inputs("doorbell", "new_flags").outputs("old_flags"),
                HypercallRow.of(0x13, "doorbell_receive", 1, (caller, doorbell, none, x) ->
                        ((Doorbell) doorbell).receive(x[1], x), doorbell(Rights.DOORBELL_RECEIVE), VALUE, RES0)
                        .inputs("doorbell", "clear_flags").outputs("old_flags")
                        .errors(HypError.ARGUMENT_INVALID),
                HypercallRow.of(0x14, "doorbell_reset", 0, (caller, doorbell, none, x) ->
                        ((Doorbell) doorbell).reset(), doorbell(Rights.DOORBELL_RECEIVE), RES0)
                        .inputs("doorbell"),
                HypercallRow.of(0x15, "doorbell_mask", 0, (caller, doorbell, none, x) ->
                        ((Doorbell) doorbell).mask(x[1], x[2]),
                        doorbell(Rights.DOORBELL_RECEIVE), VALUE, VALUE, RES0)
                        .inputs("doorbell", "enable_mask", "ack_mask"));
    }

    private static HypercallArgument doorbell(int rights) {
        return active(ObjectType.DOORBELL, rights);
    }
}
