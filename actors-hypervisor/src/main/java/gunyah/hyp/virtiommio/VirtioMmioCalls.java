package gunyah.hyp.virtiommio;

import static gunyah.hyp.HypercallArgument.RES0;
import static gunyah.hyp.HypercallArgument.U32;
import static gunyah.hyp.HypercallArgument.VALUE;
import static gunyah.hyp.HypercallArgument.active;
import static gunyah.hyp.HypercallArgument.init;

import gunyah.hyp.HypError;
import gunyah.hyp.HypercallArgument;
import gunyah.hyp.HypercallRow;
import gunyah.hyp.ObjectType;
import gunyah.hyp.Rights;
import gunyah.hyp.VirqController;
import gunyah.hyp.memextent.MemExtent;
import java.util.List;

/** Hypercalls on virtio devices (Gunyah hyp/interfaces/virtio_mmio). */
public final class VirtioMmioCalls {
    private static final HypercallArgument VIC = active(ObjectType.VIC, Rights.VIC_BIND_SOURCE);
    private static final HypercallArgument CONFIG = active(ObjectType.VIRTIO_MMIO, Rights.VIRTIO_MMIO_CONFIG);
    private static final HypercallArgument BACKEND =
            active(ObjectType.VIRTIO_MMIO, Rights.VIRTIO_MMIO_BIND_BACKEND_VIRQ);
    private static final HypercallArgument FRONTEND =
            active(ObjectType.VIRTIO_MMIO, Rights.VIRTIO_MMIO_BIND_FRONTEND_VIRQ);

    private VirtioMmioCalls() {
    }

    /** {@return the rows} */
    public static List<HypercallRow> rows() {
        return List.of(
                HypercallRow.of(0x49, "virtio_mmio_configure", 0, (caller, device, extent, x) ->
                        ((VirtioMmio) device).configure((MemExtent) extent, x[2], x[3], (int) x[4]),
                        init(ObjectType.VIRTIO_MMIO, Rights.OBJECT_ACTIVATE),
                        active(ObjectType.MEMEXTENT, Rights.MEMEXTENT_ATTACH), U32, VALUE, U32)
                        .inputs("virtio_mmio", "memextent", "vqs_num", "flags", "device_type")
                        .errors(HypError.ARGUMENT_INVALID, HypError.OBJECT_STATE),
                bind(0x4A, "virtio_mmio_backend_bind_virq", BACKEND, true),
                unbind(0x4B, "virtio_mmio_backend_unbind_virq", BACKEND, true),
                bind(0x4C, "virtio_mmio_frontend_bind_virq", FRONTEND, false),
                unbind(0x4D, "virtio_mmio_frontend_unbind_virq", FRONTEND, false),
                HypercallRow.of(0x4E, "virtio_mmio_backend_assert_virq", 0, (caller, device, none, x) ->
                        ((VirtioMmio) device).assertVirq((int) x[1]),
                        active(ObjectType.VIRTIO_MMIO, Rights.VIRTIO_MMIO_ASSERT_VIRQ), U32, RES0)
                        .inputs("virtio_mmio", "interrupt_status").errors(HypError.DENIED),
                HypercallRow.of(0x4F, "virtio_mmio_backend_set_dev_features", 0, (caller, device, none, x) ->
                        ((VirtioMmio) device).deviceFeatures(x[1], (int) x[2]), CONFIG, U32, U32, RES0)
                        .inputs("virtio_mmio", "sel", "dev_feat")
                        .errors(HypError.ARGUMENT_INVALID, HypError.DENIED),
                HypercallRow.of(0x50, "virtio_mmio_backend_set_queue_num_max", 0, (caller, device, none, x) ->
                        ((VirtioMmio) device).queueMax(x[1], (int) x[2]), CONFIG, U32, U32, RES0)
                        .inputs("virtio_mmio", "sel", "queue_num_max").errors(HypError.ARGUMENT_INVALID),
                HypercallRow.of(0x51, "virtio_mmio_backend_get_drv_features", 1, (caller, device, none, x) ->
                        ((VirtioMmio) device).driverFeatures(x[1], x), CONFIG, U32, RES0)
                        .inputs("virtio_mmio", "sel").outputs("drv_feat").errors(HypError.ARGUMENT_INVALID),
                HypercallRow.of(0x52, "virtio_mmio_backend_get_queue_info", 5, (caller, device, none, x) ->
                        ((VirtioMmio) device).queueInfo(x[1], x), CONFIG, U32, RES0)
                        .inputs("virtio_mmio", "sel")
                        .outputs("queue_num", "queue_ready", "queue_desc", "queue_drv", "queue_dev")
                        .errors(HypError.ARGUMENT_INVALID),
                HypercallRow.of(0x53, "virtio_mmio_backend_get_notification", 2, (caller, device, none, x) ->
                        ((VirtioMmio) device).notification(x), CONFIG, RES0)
                        .inputs("virtio_mmio").outputs("vqs_bitmap", "reason"),
                HypercallRow.of(0x54, "virtio_mmio_backend_acknowledge_reset", 0, (caller, device, none, x) ->
                        ((VirtioMmio) device).acknowledgeReset(), CONFIG, RES0)
                        .inputs("virtio_mmio"),
                HypercallRow.of(0x55, "virtio_mmio_backend_update_status", 0, (caller, device, none, x) ->
                        ((VirtioMmio) device).updateStatus((int) x[1]), CONFIG, U32, RES0)
                        .inputs("virtio_mmio", "val"));
    }

    private static HypercallRow bind(int number, String name, HypercallArgument device, boolean backend) {
        return HypercallRow.of(number, name, 0, (caller, object, vic, x) -> {
            VirtioMmio virtio = (VirtioMmio) object;
            return ((VirqController) vic).bind(backend ? virtio.lineToFrontend() : virtio.lineToBackend(), (int) x[2]);
        }, device, VIC, U32, RES0)
                .inputs("virtio_mmio", "vic", "virq_info")
                .errors(HypError.VIRQ_BOUND, HypError.BUSY, HypError.ARGUMENT_INVALID)
                .note(backend ? "The line that the backend asserts: the frontend's controller."
                        : "The line that the frontend's stores assert: the backend's controller.");
    }

    private static HypercallRow unbind(int number, String name, HypercallArgument device, boolean backend) {
        return HypercallRow.of(number, name, 0, (caller, object, none, x) -> {
            VirtioMmio virtio = (VirtioMmio) object;
            return VirtioMmio.unbind(backend ? virtio.lineToFrontend() : virtio.lineToBackend());
        }, device, RES0).inputs("virtio_mmio");
    }
}
