package gunyah.runtime;

import gunyah.arm64.translate.Translator;
import gunyah.config.BadInput;
import gunyah.config.MachineConfig;
import gunyah.config.VmConfig;
import gunyah.vmm.Vmm;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.LongSupplier;

/**
 * One whole system: hypervisor, Resource Manager, host and its VMM on a machine of their own. Thread safe. Closing it
 * stops its VMs and gives its memory and threads back.
 */
public final class GunyahSystem implements AutoCloseable {
    private final Machine machine;
    private final LongSupplier clock;
    private final List<Vm> vms = new CopyOnWriteArrayList<>();
    private final Set<String> names = new HashSet<>();

    GunyahSystem(Machine machine, LongSupplier clock) {
        this.machine = machine;
        this.clock = clock;
    }

    /** Does on a thread of its own what the first start would do, so that it takes less. */
    public static void prepare() {
        Thread.ofPlatform().daemon().name("gunyah-prepare").start(ActorMachine::prepare);
    }

    /**
     * Starts a system in real time. Blocks until its host VM has found the hypervisor; with
     * {@link MachineConfig#primaryKernel} nothing runs before the one VM is created.
     */
    public static GunyahSystem start(MachineConfig config) {
        return start(config, Optional.empty());
    }

    /**
     * As above, writing a trace.
     *
     * @param trace file that gets everything that happens on the machine until {@link #close}, as JSON lines
     * @throws BadInput when it cannot be written
     */
    public static GunyahSystem start(MachineConfig config, Optional<Path> trace) {
        Machine machine = config.primaryKernel() ? new PrimaryMachine(config, System::nanoTime, trace)
                : ActorMachine.start(config, System::nanoTime, trace);
        return new GunyahSystem(machine, System::nanoTime);
    }

    /**
     * Creates and starts a VM. Blocks until it runs.
     *
     * @throws BadInput when the configuration or a file it names cannot work
     */
    public Vm createVm(VmConfig config) {
        try {
            return launchVm(config).toCompletableFuture().join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw e;
        }
    }

    /** Creates and starts a VM. {@return the VM once it runs; fails with {@link BadInput} as {@link #createVm}} */
    public CompletionStage<Vm> launchVm(VmConfig config) {
        synchronized (names) {
            if (!names.add(config.name())) {
                return CompletableFuture.failedStage(
                        new BadInput("there is a VM named '%s' already".formatted(config.name())));
            }
        }
        Console console = new Console();
        long startedNs = clock.getAsLong();
        return machine.launch(config, console::append).handle((guest, failure) -> {
            if (failure != null) {
                synchronized (names) {
                    names.remove(config.name());
                }
                throw failure instanceof CompletionException wrapped ? wrapped : new CompletionException(failure);
            }
            Vm vm = new Vm(config.name(), console, guest, clock, startedNs);
            vms.add(vm);
            vm.follow();
            return vm;
        });
    }

    /**
     * {@return the device tree of such a VM as its Resource Manager would be given it} Blocks for files; nothing runs.
     *
     * @throws BadInput as {@link #createVm}
     */
    public static byte[] deviceTree(VmConfig config) {
        return Vmm.deviceTree(config);
    }

    /** {@return the VMs created so far, ended ones included, oldest first} */
    public List<Vm> vms() {
        return new ArrayList<>(vms);
    }

    /** {@return what the translator did so far; empty when guest code is only interpreted} */
    public Optional<Translator.Statistics> translated() {
        return machine.translated();
    }

    /** Stops all VMs and the system. Blocks until everything is given back; closing twice does nothing more. */
    @Override
    public void close() {
        machine.close();
    }
}
