package gunyah.vmm;

import akka.actor.typed.ActorSystem;
import gunyah.config.Serial;
import gunyah.config.VmConfig;
import gunyah.config.fdt.Fdt;
import gunyah.hyp.Board;
import gunyah.hyp.addrspace.VdeviceRegion;
import gunyah.hyp.hwirq.HardwareLine;
import gunyah.memory.PhysicalMemory;
import gunyah.vmm.RtcAlarm.Alarms;
import gunyah.vmm.boot.BootPlan;
import gunyah.vmm.boot.GuestImage;
import gunyah.vmm.boot.GuestTree;
import gunyah.vmm.boot.Ram;
import gunyah.vmm.device.ConsoleSink;
import gunyah.vmm.device.MmioDevice;
import gunyah.vmm.device.Pl011;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.IntFunction;

/**
 * The board for a kernel that runs as the primary VM: the boot loader's work, a PL011 and a PL031. They are where
 * guests have theirs, and on the first two hardware interrupts of the machine. Thread safe once the machine runs.
 */
public final class PrimaryBoard implements Board {
    private static final int FIRST_SPI = 32;
    private static final int UART_SPI = 16;
    private static final int RTC_SPI = 17;
    private static final int UART_MIS = 0x40;
    private static final int RTC_MIS = 0x18;

    private final VmConfig config;
    private final ConsoleSink output;
    private final Pl011 uart;
    private final Registers uartRegisters;
    private final Registers rtcRegisters;

    /** A device as the hypervisor sees it; its wire is high as long as its masked interrupt status is not 0. */
    private static final class Registers implements gunyah.hyp.addrspace.MmioDevice {
        private final int status;
        private MmioDevice device;
        private volatile HardwareLine line;

        Registers(int status) {
            this.status = status;
        }

        void raise() {
            line.raise();
        }

        // Every change of the status but a rising one is the kernel's doing.
        private void settle() {
            if (device.read(status, Integer.BYTES) == 0) {
                line.lower();
                if (device.read(status, Integer.BYTES) != 0) {
                    line.raise();
                }
            }
        }

        @Override
        public long read(int vcpuIndex, long offset, int sizeBytes) {
            long value = device.read(offset, sizeBytes);
            settle();
            return value;
        }

        @Override
        public boolean write(int vcpuIndex, long offset, int sizeBytes, long value) {
            device.write(offset, sizeBytes, sizeBytes == Long.BYTES ? value : value & (1L << 8 * sizeBytes) - 1);
            settle();
            return true;
        }
    }

    /**
     * Makes a board; its files are read when the machine starts.
     *
     * @param config        kernel, RAM disk, command line; its memory and CPUs are the machine's
     * @param consoleOutput gets what the kernel writes to its console, in order; may block, which throttles it
     * @param system        whose scheduler the clock's alarm uses
     */
    public static PrimaryBoard create(VmConfig config, Consumer<byte[]> consoleOutput, ActorSystem<?> system) {
        return new PrimaryBoard(config, consoleOutput, command -> Thread.ofVirtual().start(command),
                InstantSource.system(),
                (delay, action) -> system.scheduler().scheduleOnce(delay, action, system.executionContext()));
    }

    private PrimaryBoard(VmConfig config, Consumer<byte[]> consoleOutput, Executor executor, InstantSource clock,
            Alarms alarms) {
        this.config = config;
        output = new ConsoleSink(consoleOutput, executor);
        uartRegisters = new Registers(UART_MIS);
        rtcRegisters = new Registers(RTC_MIS);
        uart = new Pl011(output, uartRegisters::raise);
        output.onRoom(uart::transmitterReady);
        uartRegisters.device = uart;
        rtcRegisters.device = new RtcAlarm(clock, rtcRegisters::raise, alarms).rtc();
    }

    @Override
    public Loaded load(PhysicalMemory memory, long base, long size) {
        GuestTree.Places guests = GuestLayout.places(0, true, Serial.PL011);
        GuestTree.Places places = new GuestTree.Places(guests.gicd(), guests.gicr(), guests.uart(), UART_SPI,
                guests.rtc(), RTC_SPI, guests.virtio(), guests.serial());
        BootPlan plan = BootPlan.of(config, new Ram(base, size), places);
        for (GuestImage.Chunk chunk : plan.chunks()) {
            if (chunk.gpa() == plan.dtbGpa()) {
                byte[] tree = hostTree(chunk.data());
                memory.write(chunk.gpa(), tree, 0, tree.length);
            } else {
                memory.write(chunk.gpa(), chunk.data(), chunk.from(), chunk.size());
            }
        }
        return new Loaded(plan.entry(), plan.dtbGpa());
    }

    // A guest's tree tells the Resource Manager how to build it; the primary VM is none of its making.
    private static byte[] hostTree(byte[] guestTree) {
        Fdt tree = Fdt.parse(guestTree);
        tree.root().child("gunyah-vm-config").ifPresent(tree.root()::remove);
        return tree.toBytes();
    }

    @Override
    public void wire(IntFunction<HardwareLine> lines) {
        uartRegisters.line = lines.apply(FIRST_SPI + UART_SPI);
        rtcRegisters.line = lines.apply(FIRST_SPI + RTC_SPI);
    }

    @Override
    public List<VdeviceRegion> devices() {
        return List.of(new VdeviceRegion(GuestLayout.UART_BASE, GuestLayout.DEVICE_SIZE, uartRegisters),
                new VdeviceRegion(GuestLayout.RTC_BASE, GuestLayout.DEVICE_SIZE, rtcRegisters));
    }

    /** Types into the console; nothing is lost however much comes at once. */
    public void type(byte[] input) {
        uart.type(input);
    }

    /** {@return when everything written so far was handed over} */
    public CompletionStage<Void> drained() {
        return output.drained();
    }
}
