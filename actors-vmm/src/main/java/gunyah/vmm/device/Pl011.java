package gunyah.vmm.device;

/**
 * Arm PrimeCell UART, revision 1 of the PL011 (DDI 0183, chapter 3): FIFOs of 16, masked interrupts for receive, receive
 * timeout and transmit. Time on the wire is zero: what is written has left, and the receive timeout is over at once. Typing
 * never overruns: see {@link ReceiveFifo}.
 */
public final class Pl011 implements MmioDevice, ConsoleDevice {
    private static final int DR = 0x00;
    private static final int RSR = 0x04;
    private static final int FR = 0x18;
    private static final int ILPR = 0x20;
    private static final int IBRD = 0x24;
    private static final int FBRD = 0x28;
    private static final int LCR_H = 0x2c;
    private static final int CR = 0x30;
    private static final int IFLS = 0x34;
    private static final int IMSC = 0x38;
    private static final int RIS = 0x3c;
    private static final int MIS = 0x40;
    private static final int ICR = 0x44;
    private static final int DMACR = 0x48;

    private static final int FR_RXFE = 1 << 4;
    private static final int FR_TXFF = 1 << 5;
    private static final int FR_RXFF = 1 << 6;
    private static final int FR_TXFE = 1 << 7;
    private static final int LCR_FIFO = 1 << 4;
    private static final int CR_ENABLE = 1;
    private static final int CR_LOOPBACK = 1 << 7;
    private static final int CR_RX_ENABLE = 1 << 9;
    private static final int CR_RESET = 0x300;
    private static final int IFLS_RESET = 0x12;
    private static final int INT_RX = 1 << 4;
    private static final int INT_TX = 1 << 5;
    private static final int INT_RT = 1 << 6;
    private static final int INT_ALL = 0x7ff;
    private static final int FIFO_DEPTH = 16;
    /** Entries that raise the receive interrupt, by IFLS bits 5:3. */
    private static final int[] RX_TRIGGER = {2, 4, 8, 12, 14, 14, 14, 14};

    private final ConsoleSink output;
    private final InterruptLine interrupt;
    private final PrimeCellId id = new PrimeCellId(0x00141011);
    private final ReceiveFifo fifo = new ReceiveFifo();
    private int ilpr;
    private int ibrd;
    private int fbrd;
    private int lcrH;
    private int cr = CR_RESET;
    private int ifls = IFLS_RESET;
    private int imsc;
    private int dmacr;
    private boolean txPending;
    private boolean rtCleared;
    private int lastMis;

    public Pl011(ConsoleSink output, InterruptLine interrupt) {
        this.output = output;
        this.interrupt = interrupt;
    }

    @Override
    public String name() {
        return "pl011";
    }

    @Override
    public synchronized void type(byte[] input) {
        fifo.type(input);
        receive();
        updateInterrupt();
    }

    @Override
    public synchronized int untaken() {
        return fifo.untaken();
    }

    /** The transmit FIFO is empty again. */
    @Override
    public synchronized void transmitterReady() {
        txPending = true;
        updateInterrupt();
    }

    private boolean isEnabled() {
        return (cr & (CR_ENABLE | CR_RX_ENABLE)) == (CR_ENABLE | CR_RX_ENABLE);
    }

    private int depth() {
        return (lcrH & LCR_FIFO) != 0 ? FIFO_DEPTH : 1;
    }

    /** Moves typed bytes into the FIFO while the guest is ready for them. */
    private void receive() {
        if (isEnabled() && (cr & CR_LOOPBACK) == 0 && fifo.receive((imsc & (INT_RX | INT_RT)) != 0, depth())) {
            rtCleared = false;
        }
    }

    private int raw() {
        int status = txPending ? INT_TX : 0;
        int trigger = (lcrH & LCR_FIFO) != 0 ? RX_TRIGGER[ifls >>> 3 & 7] : 1;
        if (fifo.size() >= trigger) {
            status |= INT_RX;
        }
        if (!fifo.isEmpty() && !rtCleared) {
            status |= INT_RT;
        }
        return status;
    }

    /** The line is level triggered but travels as events: one for each interrupt that newly shows. */
    private void updateInterrupt() {
        int mis = raw() & imsc;
        boolean rises = (mis & ~lastMis) != 0;
        lastMis = mis;
        if (rises) {
            interrupt.raise();
        }
    }

    @Override
    public synchronized long read(long offset, int size) {
        return switch ((int) offset) {
            case DR -> readData();
            case RSR -> 0;
            case FR -> flags();
            case ILPR -> ilpr;
            case IBRD -> ibrd;
            case FBRD -> fbrd;
            case LCR_H -> lcrH;
            case CR -> cr;
            case IFLS -> ifls;
            case IMSC -> imsc;
            case RIS -> raw();
            case MIS -> raw() & imsc;
            case DMACR -> dmacr;
            default -> id.read(offset);
        };
    }

    private long readData() {
        Byte value = fifo.take();
        if (value == null) {
            return 0;
        }
        receive();
        updateInterrupt();
        return value & 0xff;
    }

    private long flags() {
        if (imsc == 0 && fifo.polled()) {
            receive();
        }
        int flags = output.isFull() ? FR_TXFF : FR_TXFE;
        if (fifo.isEmpty()) {
            flags |= FR_RXFE;
        }
        if (fifo.size() >= depth()) {
            flags |= FR_RXFF;
        }
        return flags;
    }

    @Override
    public synchronized void write(long offset, int size, long value) {
        int word = (int) value;
        switch ((int) offset) {
            case DR -> transmit(word & 0xff);
            case ILPR -> ilpr = word & 0xff;
            case IBRD -> ibrd = word & 0xffff;
            case FBRD -> fbrd = word & 0x3f;
            case LCR_H -> lcrH = word & 0xff;
            case CR -> cr = word & 0xffff;
            case IFLS -> ifls = word & 0x3f;
            case IMSC -> imsc = word & INT_ALL;
            case ICR -> clear(word);
            case DMACR -> dmacr = word & 7;
            default -> { }
        }
        if (offset != DR) {
            receive();
        }
        updateInterrupt();
    }

    private void transmit(int value) {
        fifo.transmitting();
        if ((cr & CR_LOOPBACK) != 0) {
            if (fifo.loop(value, depth())) {
                rtCleared = false;
            }
        } else {
            output.put(value);
        }
        txPending = !output.isFull();
    }

    /** What is still there shows again, as an event of its own. */
    private void clear(int bits) {
        if ((bits & INT_TX) != 0) {
            txPending = false;
        }
        if ((bits & INT_RT) != 0) {
            rtCleared = true;
        }
        lastMis &= ~bits;
    }
}
