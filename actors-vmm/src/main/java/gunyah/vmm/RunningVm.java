package gunyah.vmm;

import gunyah.config.Serial;
import gunyah.config.VmConfig;
import gunyah.vmm.balloon.VirtioBalloon;
import gunyah.vmm.boot.BootPlan;
import gunyah.vmm.boot.Ram;
import gunyah.vmm.device.ConsoleDevice;
import gunyah.vmm.device.ConsoleSink;
import gunyah.vmm.device.EmptyFlash;
import gunyah.vmm.device.MmioBus;
import gunyah.vmm.device.Ns16550;
import gunyah.vmm.device.Pl011;
import gunyah.vmm.driver.Errno;
import gunyah.vmm.driver.ExitHandler;
import gunyah.vmm.driver.ExitInfo;
import gunyah.vmm.driver.GunyahDevice;
import gunyah.vmm.driver.GunyahVcpu;
import gunyah.vmm.driver.GunyahVm;
import gunyah.vmm.driver.IrqFd;
import gunyah.vmm.driver.RunPage;
import gunyah.vmm.driver.Uapi;
import gunyah.vmm.net.NetSwitch;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A launched guest: its machine, its console, its end. Thread safe. MMIO exits are answered on the host CPU that ran the
 * vCPU, without handing over to another thread.
 */
public final class RunningVm {
    private static final Logger LOG = LoggerFactory.getLogger(RunningVm.class);

    private final String name;
    private final GunyahDevice device;
    private final GunyahVm vm;
    private final GuestRam ram;
    private final VirtioDevices virtio;
    private final List<GunyahVcpu> vcpus = new ArrayList<>();
    private final MmioBus bus = new MmioBus();
    private final ConsoleSink output;
    private final ConsoleDevice console;
    private final CompletableFuture<VmExit> exit = new CompletableFuture<>();
    private final AtomicReference<VmExit> outcome = new AtomicReference<>();
    private final AtomicBoolean closing = new AtomicBoolean();
    private final Consumer<RunningVm> ending;

    private RunningVm(VmConfig config, GunyahDevice device, GunyahVm vm, GuestRam ram, VirtioDevices virtio,
            ConsoleSink output, Consumer<RunningVm> ending, InstantSource clock, RtcAlarm.Alarms alarms) {
        this.name = config.name();
        this.virtio = virtio;
        this.ending = ending;
        this.device = device;
        this.vm = vm;
        this.ram = ram;
        IrqFd uartLine = vm.addIrqFd(GuestLayout.UART_SPI, true);
        IrqFd rtcLine = vm.addIrqFd(GuestLayout.RTC_SPI, true);
        this.output = output;
        bus.add(GuestLayout.FLASH_BASE, GuestLayout.FLASH_SIZE, new EmptyFlash());
        if (config.devices().serial() == Serial.NS16550A) {
            Ns16550 uart = new Ns16550(output, uartLine::signal);
            bus.add(GuestLayout.UART_BASE, Ns16550.SIZE, uart);
            console = uart;
        } else {
            Pl011 uart = new Pl011(output, uartLine::signal);
            bus.add(GuestLayout.UART_BASE, GuestLayout.DEVICE_SIZE, uart);
            console = virtio.console().orElse(uart);
        }
        output.onRoom(console::transmitterReady);
        bus.add(GuestLayout.RTC_BASE, GuestLayout.DEVICE_SIZE, new RtcAlarm(clock, rtcLine::signal, alarms).rtc());
        virtio.attach(vm, bus, ram.pages(name),
                config.memory().isProtected() ? Optional.empty() : Optional.of(ram::view));
    }

    /** Builds the machine and fills its memory; nothing runs yet. Blocks for file I/O. */
    static RunningVm build(GunyahDevice device, VmConfig config, NetSwitch switches, Consumer<byte[]> consoleOutput,
            Consumer<RunningVm> ending, InstantSource clock, RtcAlarm.Alarms alarms) {
        ConsoleSink output = new ConsoleSink(consoleOutput, device.worker());
        VirtioDevices virtio = VirtioDevices.open(device, config, switches, new SecureRandom(), output);
        BootPlan plan;
        GuestRam ram;
        try {
            plan = plan(config);
            ram = GuestRam.load(device, config, plan);
        } catch (RuntimeException e) {
            virtio.close();
            throw e;
        }
        GunyahVm vm = device.createVm(config.name());
        try {
            RunningVm running = new RunningVm(config, device, vm, ram, virtio, output, ending, clock, alarms);
            ram.bind(vm);
            vm.setDtb(plan.dtbGpa(), plan.dtbRoom());
            vm.setBootRegister(Uapi.REG_PC, plan.entry());
            vm.setBootRegister(Uapi.REG_SET_X << 8, plan.dtbGpa());
            for (int id = 0; id < config.cpus(); id++) {
                running.vcpus.add(vm.addVcpu(id));
            }
            return running;
        } catch (RuntimeException e) {
            virtio.close().thenCompose(done -> vm.close()).thenRun(() -> {
                ram.close();
                virtio.free();
            });
            throw e;
        }
    }

    /** Reads the files of a VM and places them. */
    static BootPlan plan(VmConfig config) {
        return BootPlan.of(config, new Ram(GuestLayout.RAM_BASE, config.memoryBytes()), GuestLayout.places(
                config.devices().virtioCount(), config.memory().isProtected(), config.devices().serial()));
    }

    /** Starts it. {@return this, once the first vCPU may run; a failed start is cleaned up before the stage fails} */
    CompletionStage<RunningVm> start() {
        vm.exited().whenComplete((info, failure) -> {
            if (failure == null) {
                ended(info);
            } else {
                fail(failure.getMessage());
            }
        });
        CompletableFuture<RunningVm> result = new CompletableFuture<>();
        vm.start().thenRunAsync(() -> ram.populate(vm), device.worker()).whenComplete((started, failure) -> {
            if (failure == null) {
                vcpus.forEach(this::run);
                result.complete(this);
            } else {
                outcome.compareAndSet(null, new VmExit(VmExit.Kind.CRASHED, -1, "did not start"));
                close();
                exit.whenComplete((ended, ignored) -> result.completeExceptionally(failure));
            }
        });
        return result;
    }

    private void run(GunyahVcpu vcpu) {
        vcpu.run(this::onExit).whenComplete((left, failure) -> {
            if (failure != null && !closing.get()) {
                fail("vCPU %d: %s".formatted(vcpu.id(), failure.getMessage()));
            }
        });
    }

    private ExitHandler.Next onExit(GunyahVcpu vcpu, RunPage page) {
        switch (page.exitReason()) {
            case Uapi.EXIT_MMIO -> {
                if (!access(page)) {
                    page.mmioResume(Uapi.RESUME_FAULT);
                }
                return ExitHandler.Next.CONTINUE;
            }
            case Uapi.EXIT_PAGE_FAULT -> {
                pageFault(page);
                return ExitHandler.Next.CONTINUE;
            }
            default -> {
                return ExitHandler.Next.STOP;
            }
        }
    }

    private boolean access(RunPage page) {
        MmioBus.Slot slot = bus.find(page.address(), page.mmioLength());
        if (slot == null) {
            return false;
        }
        if (page.mmioIsWrite()) {
            slot.write(page.address(), page.mmioLength(), page.mmioData());
        } else {
            page.mmioData(slot.read(page.address(), page.mmioLength()));
        }
        return true;
    }

    /** An address without memory is the guest's mistake; memory that cannot be provided is ours, and ends the VM. */
    private void pageFault(RunPage page) {
        int errno = -page.faultAttempt();
        if (errno == Errno.ENOENT.number() || errno == Errno.EPERM.number()) {
            page.faultResume(Uapi.RESUME_FAULT);
        } else {
            fail(errno == Errno.ENOMEM.number() ? "the host ran out of memory"
                    : "no memory at 0x%x: error %d".formatted(page.address(), errno));
        }
    }

    private void fail(String reason) {
        LOG.warn("{}: {}", name, reason);
        outcome.compareAndSet(null, new VmExit(VmExit.Kind.CRASHED, -1, reason));
        close();
    }

    private void ended(ExitInfo info) {
        outcome.compareAndSet(null, VmExit.of(info.type(), info.reason()));
        close();
    }

    private void close() {
        if (closing.compareAndSet(false, true)) {
            try {
                ending.accept(this);
            } finally {
                // devices first: pages they may write to must not become somebody else's
                virtio.close().thenCompose(done -> vm.close()).thenRunAsync(this::closed, device.worker());
            }
        }
    }

    private void closed() {
        try {
            ram.close();
            virtio.free();
        } catch (RuntimeException e) {
            LOG.warn("{}: its memory could not be freed: {}", name, e.getMessage());
        }
        outcome.compareAndSet(null, new VmExit(VmExit.Kind.STOPPED, -1, "stopped"));
        output.drained().thenRun(() -> exit.complete(outcome.get()));
    }

    public String name() {
        return name;
    }

    public int vmid() {
        return vm.vmid();
    }

    /** Types into the guest's console. Nothing is lost however much comes at once: it waits until the guest reads. */
    public void type(byte[] input) {
        console.type(input);
    }

    /** {@return its balloon, if it was configured with one} */
    public Optional<VirtioBalloon> balloon() {
        return virtio.balloon();
    }

    /** {@return how the guest ended, once everything it had is back with the host and all its output was read} */
    public CompletionStage<VmExit> exit() {
        return exit.minimalCompletionStage();
    }

    /** Stops the guest at once; {@link #exit} tells when that is done. Idempotent. */
    public void stop() {
        close();
    }

    public VmStatistics statistics() {
        return new VmStatistics(vm.pagesLent(), vm.pagesReturned(), bus.accesses(), bus.unclaimed(), console.untaken());
    }
}
