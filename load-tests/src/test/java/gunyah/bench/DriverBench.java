package gunyah.bench;

import gunyah.config.Serial;
import gunyah.vmm.boot.GuestTree;
import gunyah.vmm.boot.Ram;
import gunyah.vmm.driver.ExitHandler;
import gunyah.vmm.driver.GuestMemoryFile;
import gunyah.vmm.driver.GunyahDevice;
import gunyah.vmm.driver.GunyahVcpu;
import gunyah.vmm.driver.GunyahVm;
import gunyah.vmm.driver.HostMapping;
import gunyah.vmm.driver.IrqFd;
import gunyah.vmm.driver.RunPage;
import gunyah.vmm.driver.Uapi;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * What the host driver costs a guest. Each method makes a VM with the program of {@code driver.S}, which times its own
 * accesses, runs it, and takes the VM apart.
 */
final class DriverBench {
    static final int PAGE = 4096;
    static final int BLOCK = 2 << 20;

    private static final Ram RAM = new Ram(0x4000_0000L, 4 << 20);
    private static final long TREE = RAM.base() + (2 << 20);
    private static final int TREE_ROOM = 0x1_0000;
    /** Shared with the host; below 1 GiB, as devices are. */
    private static final long SAMPLES = 0x3000_0000L;
    private static final long LENT = 0x8000_0000L;
    private static final long SHARED = 0x2000_0000L;
    private static final long DEVICE = 0x0b00_0000L;
    private static final long DONE = 0x1_0000L;
    private static final int SPI = 1;
    private static final int NS_PER_TICK = 16;
    private static final GuestTree.Places PLACES = new GuestTree.Places(0x0800_0000L, 0x080a_0000L, 0x0900_0000L, SPI,
            0x0901_0000L, 2, new GuestTree.Virtio(0, 0, 0, 0, 0, 0), Serial.PL011);

    /** The programs, in the order of {@code driver.S}. */
    private enum Program { LOADS, STORES, RINGS }

    private final GunyahDevice device;

    DriverBench(GunyahDevice device) {
        this.device = device;
    }

    /** First stores to memory that the guest does not have yet, of one folio after the other. */
    Figure faults(int folios, boolean lend, boolean blocks) {
        int folio = blocks ? BLOCK : PAGE;
        long gpa = lend ? LENT : SHARED;
        GuestMemoryFile memory = device.createGuestMemory((long) folios * folio,
                blocks ? Uapi.GUEST_MEM_ALLOW_HUGEPAGE : 0);
        int access = lend ? Uapi.MEM_FORCE_LEND | Uapi.MEM_ALLOW_RWX
                : Uapi.MEM_FORCE_SHARE | Uapi.MEM_ALLOW_READ | Uapi.MEM_ALLOW_WRITE;
        try {
            return run("first store to a %s of %s memory".formatted(blocks ? "2 MiB block" : "page",
                    lend ? "lent" : "shared"), Program.STORES, folios, gpa, folio,
                    vm -> vm.map(memory, gpa, memory.size(), 0, access));
        } finally {
            memory.close();
        }
    }

    /** A load that a device model of the host answers. */
    Figure mmio(int count) {
        return run("MMIO load, guest to device model and back", Program.LOADS, count, DEVICE, 0, vm -> { });
    }

    /** A store that is an event: no exit to the client. */
    Figure ioEvent(int count) {
        return run("ioeventfd, guest to event and back", Program.STORES, count, DEVICE, 0,
                vm -> vm.addIoEventFd(DEVICE, 4, value -> { }));
    }

    /** An event whose handler signals an interrupt, seen pending by the guest. @param worker whether on another thread */
    Figure interrupt(int count, boolean worker) {
        return run("ioeventfd to irqfd, interrupt pending in the guest" + (worker ? ", by another thread" : ""),
                Program.RINGS, count, DEVICE, 0, vm -> {
                    IrqFd line = vm.addIrqFd(SPI, true);
                    vm.addIoEventFd(DEVICE, 4, worker ? value -> device.worker().execute(line::signal)
                            : value -> line.signal());
                });
    }

    private Figure run(String name, Program program, int count, long address, long stride, Consumer<GunyahVm> setup) {
        long bytes = count * 4L + PAGE - 1 & -PAGE;
        GuestMemoryFile ram = device.createGuestMemory(RAM.size(), Uapi.GUEST_MEM_ALLOW_HUGEPAGE);
        GuestMemoryFile samples = device.createGuestMemory(bytes, 0);
        GunyahVm vm = device.createVm("bench");
        try (HostMapping results = samples.map(0, bytes)) {
            load(ram);
            vm.map(ram, RAM.base(), RAM.size(), 0, Uapi.MEM_FORCE_LEND | Uapi.MEM_ALLOW_RWX);
            vm.map(samples, SAMPLES, bytes, 0, Uapi.MEM_FORCE_SHARE | Uapi.MEM_ALLOW_READ | Uapi.MEM_ALLOW_WRITE);
            setup.accept(vm);
            vm.setDtb(TREE, TREE_ROOM);
            vm.setBootRegister(Uapi.REG_PC, RAM.base());
            long[] x = {program.ordinal(), count, address, stride, SAMPLES};
            for (int i = 0; i < x.length; i++) {
                vm.setBootRegister(Uapi.REG_SET_X << 8 | i, x[i]);
            }
            GunyahVcpu vcpu = vm.addVcpu(0);
            await(vm.start());
            vm.populate(RAM.base(), RAM.size());
            vm.populate(SAMPLES, bytes);
            await(vcpu.run(DriverBench::onExit));
            return Figure.of(name, "", durations(results, count));
        } finally {
            await(vm.close());
            ram.close();
            samples.close();
        }
    }

    private static ExitHandler.Next onExit(GunyahVcpu vcpu, RunPage page) {
        if (page.exitReason() != Uapi.EXIT_MMIO) {
            throw new IllegalStateException("the guest left with %d at 0x%x".formatted(page.exitReason(),
                    page.address()));
        }
        page.mmioData(0);
        return page.address() == DONE ? ExitHandler.Next.STOP : ExitHandler.Next.CONTINUE;
    }

    private static void load(GuestMemoryFile ram) {
        byte[] tree = new GuestTree("bench", 1, RAM, PLACES).generate("", Optional.empty()).toBytes();
        try (HostMapping mapping = ram.map(0, RAM.size());
                InputStream in = DriverBench.class.getResourceAsStream("driver.img")) {
            byte[] image = in.readAllBytes();
            mapping.write(0, image, 0, image.length);
            mapping.write(TREE - RAM.base(), tree, 0, tree.length);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static long[] durations(HostMapping results, int count) {
        byte[] bytes = new byte[count * 4];
        results.read(0, bytes, 0, bytes.length);
        ByteBuffer words = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        long[] samples = new long[count];
        for (int i = 0; i < count; i++) {
            samples[i] = Integer.toUnsignedLong(words.getInt()) * NS_PER_TICK;
        }
        return samples;
    }

    private static <T> T await(CompletionStage<T> stage) {
        return stage.toCompletableFuture().orTimeout(2, TimeUnit.MINUTES).join();
    }
}
