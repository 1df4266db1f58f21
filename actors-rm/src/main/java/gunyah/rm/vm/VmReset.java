package gunyah.rm.vm;

import gunyah.rm.memparcel.ParcelBorrowing;
import gunyah.rm.memparcel.ParcelEstate;
import gunyah.rm.root.Ledger.Stage;
import gunyah.rm.rpc.VmState;
import java.util.List;
import java.util.function.Predicate;

/**
 * The way of a VM from RESETTING to RESET: one small step in a turn, stage after stage (public Resource Manager, reset
 * stages). Nothing of the VM exists anywhere when it ends; memory that it made parcels of goes to the primary VM.
 */
public final class VmReset {
    private final VmTable vms;
    private final Notices notices;
    private final VmStop stop;
    private final Connections connections;
    private final Turns turns;
    /** Each takes one step and says whether there was one. */
    private final List<Predicate<Vm>> stages;

    public VmReset(VmTable vms, Notices notices, VmStop stop, Connections connections, Turns turns, Vdevices vdevices,
            ParcelBorrowing borrowing, ParcelEstate estate, Interrupts interrupts) {
        this.vms = vms;
        this.notices = notices;
        this.stop = stop;
        this.connections = connections;
        this.turns = turns;
        this.stages = List.of(vdevices::removeOne, vm -> vm.ledger.undoOne(Stage.VDEVICES), borrowing::loseLast,
                estate::dissolveOne, interrupts::releaseOne, vm -> vm.ledger.undoOne(Stage.OBJECTS));
    }

    void begin(Vm vm) {
        // First, so that nothing that fails on the way leaves the VM in RESETTING for ever.
        turns.next(() -> stop.stopVcpus(vm, () -> {
            connections.cut(vm);
            step(vm);
        }));
        notices.move(vm, VmState.RESETTING);
    }

    private void step(Vm vm) {
        for (Predicate<Vm> stage : stages) {
            if (stage.test(vm)) {
                turns.next(() -> step(vm));
                return;
            }
        }
        vm.clear();
        if (vm.state != VmState.RESET) {
            notices.move(vm, VmState.RESET);
        }
        vms.part(vm);
    }
}
