package gunyah.runtime;

import gunyah.hyp.trace.TraceKind;

/** What the layers above the hypervisor trace: the kinds from {@link TraceKind#FIRST_FOREIGN} on. */
enum MachineEvent {
    /** The Resource Manager answered; a: message id, b: the VM it is about or 0, c: error. */
    RM_REQUEST,
    /** The Resource Manager told something unasked; a: message id. */
    RM_NOTIFICATION,
    /** A VM changed its state; a: ordinal of the {@link gunyah.rm.rpc.VmState}. */
    VM_STATE,
    /** A VM runs; a: note with its name. */
    LAUNCH,
    /** A VM ended; a: note with the kind, b: note with the reason. */
    EXIT;

    private static final MachineEvent[] ALL = values();

    int kind() {
        return TraceKind.FIRST_FOREIGN + ordinal();
    }

    static MachineEvent of(int kind) {
        return ALL[kind - TraceKind.FIRST_FOREIGN];
    }
}
