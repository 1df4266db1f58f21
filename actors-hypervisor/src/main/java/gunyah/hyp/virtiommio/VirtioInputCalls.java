package gunyah.hyp.virtiommio;

import static gunyah.hyp.HypercallArgument.RES0;
import static gunyah.hyp.HypercallArgument.U32;
import static gunyah.hyp.HypercallArgument.VALUE;
import static gunyah.hyp.HypercallArgument.active;

import gunyah.hyp.HypError;
import gunyah.hyp.HypercallArgument;
import gunyah.hyp.HypercallRow;
import gunyah.hyp.ObjectType;
import gunyah.hyp.Rights;
import java.util.List;

/** Hypercalls on virtio devices of type input (Gunyah hyp/vm/virtio_input). */
public final class VirtioInputCalls {
    private static final HypercallArgument CONFIG = active(ObjectType.VIRTIO_MMIO, Rights.VIRTIO_MMIO_CONFIG);

    private VirtioInputCalls() {
    }

    /** {@return the rows} */
    public static List<HypercallRow> rows() {
        return List.of(
                HypercallRow.of(0x5E, "virtio_input_configure", 0, (caller, device, none, x) ->
                        ((VirtioMmio) device).configureInput(x[1], (int) x[2], x[3], x[4]),
                        CONFIG, VALUE, U32, U32, U32, RES0)
                        .inputs("virtio_mmio", "devids", "prop_bits", "num_evtypes", "num_absaxes")
                        .errors(HypError.OBJECT_CONFIG, HypError.ARGUMENT_INVALID, HypError.BUSY),
                HypercallRow.of(0x5F, "virtio_input_set_data", 0, (caller, device, none, x) ->
                        ((VirtioMmio) device).inputData(caller, (int) x[1], (int) x[2], x[3], x[4]),
                        CONFIG, U32, U32, U32, VALUE, RES0)
                        .inputs("virtio_mmio", "sel", "subsel", "size", "data")
                        .errors(HypError.CSPACE_WRONG_OBJECT_TYPE, HypError.ARGUMENT_INVALID, HypError.ARGUMENT_SIZE,
                                HypError.NORESOURCES, HypError.DENIED, HypError.ADDR_INVALID,
                                HypError.ADDR_OVERFLOW));
    }
}
