package gunyah.hyp.vic;

import static gunyah.hyp.HypercallArgument.RES0;
import static gunyah.hyp.HypercallArgument.U32;
import static gunyah.hyp.HypercallArgument.VALUE;
import static gunyah.hyp.HypercallArgument.active;
import static gunyah.hyp.HypercallArgument.init;

import gunyah.hyp.HypError;
import gunyah.hyp.HypercallRow;
import gunyah.hyp.ObjectType;
import gunyah.hyp.Rights;
import java.util.List;

/**
 * Hypercalls on interrupt controllers (Gunyah hyp/interfaces/vic, vgic). There is no MSI source on this platform: no
 * capability to one exists.
 */
public final class VicCalls {
    private VicCalls() {
    }

    /** {@return the rows} */
    public static List<HypercallRow> rows() {
        return List.of(
                HypercallRow.of(0x28, "vic_configure", 0, (caller, vic, none, x) ->
                        ((Vic) vic).configure(x[1], x[2], x[3], x[4]),
                        init(ObjectType.VIC, Rights.OBJECT_ACTIVATE), U32, U32, U32, U32)
                        .inputs("vic", "max_vcpus", "max_virqs", "options", "max_msis")
                        .errors(HypError.ARGUMENT_INVALID),
                HypercallRow.of(0x56, "vic_bind_msi_source", 0,
                        (caller, vic, none, x) -> HypError.CSPACE_WRONG_OBJECT_TYPE,
                        active(ObjectType.VIC, Rights.VIC_BIND_SOURCE), VALUE, RES0)
                        .inputs("vic", "msi_source")
                        .errors(HypError.CSPACE_WRONG_OBJECT_TYPE)
                        .note("No object is an MSI source."),
                HypercallRow.of(0x67, "vgic_set_mpidr_mapping", 0, (caller, vic, none, x) ->
                        ((Vic) vic).mapMpidr(x[1], x[2], x[3], x[4], x[5], x[6]),
                        init(ObjectType.VIC, Rights.OBJECT_ACTIVATE), VALUE, VALUE, VALUE, VALUE, VALUE, VALUE)
                        .inputs("vic", "mask", "shift0", "shift1", "shift2", "shift3", "mt")
                        .errors(HypError.ARGUMENT_INVALID));
    }
}
