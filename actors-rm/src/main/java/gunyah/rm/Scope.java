package gunyah.rm;

import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import gunyah.rm.rpc.VmState;
import gunyah.rm.vm.Vm;
import gunyah.rm.vm.VmTable;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;

/**
 * Who may send a request about whom, and in which states of that VM. Checked in this order: primary VM, existence,
 * relation, state.
 */
final class Scope<T> {
    /** What the caller must be to the VM in the request. */
    private enum Relation { ANY, SELF, OWNER, QUERY, CONSOLE }

    private final Relation relation;
    private final ToIntFunction<T> vmid;
    private final RmError unknown;
    private final RmError stranger;
    private boolean hlos;
    private boolean notHlos;
    private boolean errorWord;
    private Set<VmState> states = EnumSet.allOf(VmState.class);

    private Scope(Relation relation, ToIntFunction<T> vmid, RmError unknown, RmError stranger) {
        this.relation = relation;
        this.vmid = vmid;
        this.unknown = unknown;
        this.stranger = stranger;
    }

    /** Every VM, about none or about what the service looks up. */
    static <T> Scope<T> any() {
        return new Scope<>(Relation.ANY, request -> 0, RmError.OK, RmError.OK);
    }

    /** Every VM about itself. */
    static <T> Scope<T> self() {
        return new Scope<>(Relation.SELF, request -> 0, RmError.OK, RmError.OK);
    }

    /** The primary VM only. */
    static <T> Scope<T> hlos() {
        return Scope.<T>any().andHlos();
    }

    /** The owner of the VM; VMID_INVALID when there is none. */
    static <T> Scope<T> owner(ToIntFunction<T> vmid, RmError stranger) {
        return new Scope<>(Relation.OWNER, vmid, RmError.VMID_INVALID, stranger);
    }

    /** The VM itself (also as 0), its owner or a peer. */
    static <T> Scope<T> query(ToIntFunction<T> vmid, RmError unknown, RmError stranger) {
        return new Scope<>(Relation.QUERY, vmid, unknown, stranger);
    }

    /** The VM itself, as 0, or its owner. */
    static <T> Scope<T> console(ToIntFunction<T> vmid) {
        return new Scope<>(Relation.CONSOLE, vmid, RmError.ARGUMENT_INVALID, RmError.DENIED);
    }

    Scope<T> andHlos() {
        hlos = true;
        return this;
    }

    Scope<T> exceptHlos() {
        notHlos = true;
        return this;
    }

    Scope<T> in(VmState first, VmState... others) {
        states = EnumSet.of(first, others);
        return this;
    }

    /** An error is followed by the hypervisor's error word. */
    Scope<T> withErrorWord() {
        errorWord = true;
        return this;
    }

    boolean hasErrorWord() {
        return errorWord;
    }

    /** {@return the VM the request is about, the caller if none} Throws when the caller may not or the state is wrong. */
    Vm target(VmTable vms, Vm caller, T request) {
        if (hlos && caller.vmid() != Vm.HLOS || notHlos && caller.vmid() == Vm.HLOS) {
            throw new RmFault(RmError.DENIED);
        }
        Vm target = find(vms, caller, vmid.applyAsInt(request));
        boolean related = switch (relation) {
            case ANY, SELF -> true;
            case OWNER -> target.ownerVmid() == caller.vmid();
            case QUERY -> target.isKnownTo(caller);
            case CONSOLE -> target == caller || target.ownerVmid() == caller.vmid();
        };
        if (!related) {
            throw new RmFault(stranger);
        }
        if (!states.contains(target.state())) {
            throw new RmFault(RmError.VM_STATE);
        }
        return target;
    }

    private Vm find(VmTable vms, Vm caller, int id) {
        boolean caller0 = relation == Relation.QUERY || relation == Relation.CONSOLE;
        return relation == Relation.ANY || relation == Relation.SELF || caller0 && id == 0 ? caller
                : vms.find(id, unknown);
    }

    /** {@return whether the request changes the VM it is about} */
    boolean isAboutTarget() {
        return relation == Relation.OWNER || relation == Relation.SELF;
    }

    /** {@return who, in words} */
    String who() {
        String words = relation.name().toLowerCase(Locale.ROOT);
        return hlos ? relation == Relation.ANY ? "primary VM" : "primary VM, " + words
                : notHlos ? words + ", not the primary VM" : words;
    }

    /** {@return the states, empty when all will do} */
    Optional<String> statesInWords() {
        return states.size() == VmState.values().length ? Optional.empty()
                : Optional.of(states.stream().map(Enum::name).collect(Collectors.joining(", ")));
    }
}
