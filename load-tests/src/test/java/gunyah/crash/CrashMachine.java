package gunyah.crash;

import akka.actor.BootstrapSetup;
import akka.actor.setup.ActorSystemSetup;
import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.Props;
import akka.actor.typed.javadsl.Adapter;
import akka.actor.typed.javadsl.Behaviors;
import akka.pattern.Patterns;
import com.typesafe.config.ConfigFactory;
import gunyah.config.MachineConfig;
import gunyah.config.Serial;
import gunyah.config.VmConfig;
import gunyah.config.fdt.DtNode;
import gunyah.config.fdt.Fdt;
import gunyah.hyp.HandlerSetup;
import gunyah.hyp.Hypervisor;
import gunyah.hyp.MachineState;
import gunyah.hyp.ObjectType;
import gunyah.hyp.RootVm;
import gunyah.memory.FrameOwners;
import gunyah.memory.PhysicalMemory;
import gunyah.rm.ResourceManager;
import gunyah.rm.root.RmProfile;
import gunyah.vmm.Vmm;
import gunyah.vmm.boot.GuestTree;
import gunyah.vmm.boot.Ram;
import gunyah.vmm.driver.GunyahDevice;
import gunyah.vmm.driver.HostKernel;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** A whole machine, as the runtime wires it, whose actors fail when a plan says so. The test's thread owns it. */
final class CrashMachine implements AutoCloseable {
    private static final int PRIMARY = 3;
    private static final long SIZE = 128L << 20;
    private static final Ram RAM = new Ram(0x4000_0000L, 4L << 20);
    /** What the guest writes to the start of every page it has. */
    private static final long MARK = 0xb529_7a4d_68e3_1da4L;
    private static final GuestTree.Places PLACES =
            new GuestTree.Places(0x0800_0000L, 0x080a_0000L, 0x0900_0000L, 1, 0x0901_0000L, 2,
                    new GuestTree.Virtio(0, 0, 0, 0, 0, 0), Serial.PL011);
    private static final int LINK = 9;
    private static final int BELL = 10;

    private final ActorSystem<Void> system;
    private final Hypervisor hypervisor;
    private final GunyahDevice device;
    private final List<JoinedVm> vms = new ArrayList<>();
    private ActorRef<ResourceManager.Command> manager;
    private final Vmm vmm;
    private final Path directory;
    private final Path image;

    CrashMachine(FaultPlan plan, int pcpus, Path directory) {
        this.directory = directory;
        this.image = copyImage(directory.resolve("joined.img"));
        system = ActorSystem.create(Behaviors.empty(), "crash", ActorSystemSetup.create(
                BootstrapSetup.create(ConfigFactory.load("gunyah/runtime/system")), new HandlerSetup(plan)));
        HostKernel host = new HostKernel(system);
        RootVm program = ResourceManager.program(behavior -> {
            manager = system.systemActorOf(behavior, "rm", Props.empty());
            return manager;
        }, RmProfile.large(), () -> 42);
        hypervisor = Hypervisor.start(system, new MachineConfig(pcpus, SIZE, 5_000_000), System::nanoTime,
                (vmid, index) -> vmid == PRIMARY ? Optional.of(host.newCpu()) : Optional.empty(),
                (port, env) -> program.boot(plan.surround(port), env));
        device = host.device().toCompletableFuture().orTimeout(1, TimeUnit.MINUTES).join();
        vmm = new Vmm(device, system);
    }

    private static Path copyImage(Path file) {
        try (InputStream in = CrashMachine.class.getResourceAsStream("joined.img")) {
            return Files.write(file, in.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Hypervisor hypervisor() {
        return hypervisor;
    }

    /**
     * Launches a VM.
     *
     * @param peer   name of the VM it is joined to
     * @param leads  whether it is the one that rings; the other hears, and the other way round
     * @param rounds of its life, 0 for ever
     */
    JoinedVm launch(String name, String peer, boolean leads, int rounds) {
        JoinedVm vm = new JoinedVm(name, rounds, hypervisor);
        VmConfig config = new VmConfig(name, 2, RAM.size(), Optional.of(image), Optional.empty(), Optional.empty(),
                Integer.toString(rounds), Optional.of(tree(name, peer, leads)), true);
        vms.add(vm);
        vm.follow(vmm.launch(config, vm::print, vm::ending));
        return vm;
    }

    private Path tree(String name, String peer, boolean leads) {
        DtNode root = new GuestTree(name, 2, RAM, PLACES).generate("", Optional.empty()).root();
        DtNode config = root.child("gunyah-vm-config").orElseThrow();
        config.child("vdevices").ifPresent(config::remove);
        DtNode devices = config.add("vdevices");
        device(devices, "link", "message-queue-pair", LINK, peer);
        device(devices, "ring", "doorbell-source", leads ? BELL : BELL + 1, peer);
        device(devices, "bell", "doorbell", leads ? BELL + 1 : BELL, peer);
        try {
            return Files.write(directory.resolve(name + ".dtb"), new Fdt(root).toBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void device(DtNode devices, String name, String type, int label, String peer) {
        devices.add(name).strings("vdevice-type", type).strings("generate", "/hypervisor/" + name)
                .cells("label", label).strings("peer", "vm-name:" + peer);
    }

    /**
     * {@return what must be the same when VMs have come and gone: which objects there are, every capability, every
     * record of a mapping, the owner of every frame, the host's pages}
     */
    List<String> possessions() {
        MachineState state = hypervisor.state();
        List<String> lines = new ArrayList<>();
        state.objects().forEach(object -> {
            boolean whole = object.type() == ObjectType.CSPACE || object.type() == ObjectType.MEMEXTENT;
            String name = "%s#%d %s".formatted(object.type(), object.id(), object.state());
            lines.add(name);
            if (whole) {
                object.text().lines().forEach(line -> lines.add(name + ": " + line));
            }
        });
        state.frames().forEach(run -> lines.add(run.toString()));
        lines.add("VMs " + hypervisor.vmids());
        lines.add("host pages in use " + device.usedHostPages());
        return lines;
    }

    /** {@return frames of the host in which something of a guest is left} */
    List<String> leftovers() {
        List<FrameOwners.Run> runs = hypervisor.state().frames();
        Map<Integer, Long> sizes = runs.stream().filter(run -> run.pa() >= RAM.base())
                .collect(Collectors.groupingBy(FrameOwners.Run::owner, Collectors.summingLong(FrameOwners.Run::length)));
        int host = sizes.entrySet().stream().max(Comparator.comparingLong(Map.Entry::getValue)).orElseThrow().getKey();
        List<String> left = new ArrayList<>();
        byte[] bytes = new byte[Long.BYTES];
        for (FrameOwners.Run run : runs) {
            for (long at = run.pa(); run.owner() == host && at < run.pa() + run.length();
                    at += PhysicalMemory.PAGE_SIZE) {
                hypervisor.memory().read(at, bytes, 0, bytes.length);
                if (ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong() == MARK) {
                    left.add("0x%x".formatted(at));
                }
            }
        }
        return left;
    }

    @Override
    public void close() {
        vms.forEach(JoinedVm::stop);
        CompletableFuture.allOf(vms.stream().map(JoinedVm::end).toArray(CompletableFuture<?>[]::new))
                .orTimeout(1, TimeUnit.MINUTES).handle((all, late) -> null).join();
        Patterns.gracefulStop(Adapter.toClassic(manager), Duration.ofMinutes(1)).toCompletableFuture().join();
        hypervisor.close();
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().orTimeout(1, TimeUnit.MINUTES).join();
    }
}
