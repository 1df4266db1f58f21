package gunyah.vmm.device;

/**
 * National Semiconductor NS16550A UART (data sheet PC16550D, section 8), registers one byte apart. Time on the wire is
 * zero: what is written has left.
 */
public final class Ns16550 implements MmioDevice, ConsoleDevice {
    /** Bytes of registers. */
    public static final int SIZE = 8;

    private static final int DATA = 0;
    private static final int IER = 1;
    private static final int IIR_FCR = 2;
    private static final int LCR = 3;
    private static final int MCR = 4;
    private static final int LSR = 5;
    private static final int MSR = 6;
    private static final int SCR = 7;

    private static final int IER_RECEIVE = 1;
    private static final int IER_TRANSMIT = 2;
    private static final int IER_MASK = 0xf;
    private static final int IIR_NONE = 1;
    private static final int IIR_TRANSMIT = 2;
    private static final int IIR_RECEIVE = 4;
    private static final int IIR_FIFO = 0xc0;
    private static final int FCR_ENABLE = 1;
    private static final int FCR_CLEAR_RECEIVE = 2;
    private static final int LCR_DLAB = 0x80;
    private static final int MCR_LOOPBACK = 0x10;
    private static final int MCR_MASK = 0x1f;
    private static final int LSR_DATA = 1;
    private static final int LSR_TRANSMITTER_EMPTY = 0x60;
    private static final int MSR_CONNECTED = 0xb0;
    private static final int DEPTH = 16;
    private static final int DIVISOR_RESET = 12;

    private final ConsoleSink output;
    private final InterruptLine interrupt;
    private final ReceiveFifo fifo = new ReceiveFifo();
    private int divisor = DIVISOR_RESET;
    private int ier;
    private int fcr;
    private int lcr;
    private int mcr;
    private int scr;
    private boolean transmitPending;
    private int lastCause = IIR_NONE;

    public Ns16550(ConsoleSink output, InterruptLine interrupt) {
        this.output = output;
        this.interrupt = interrupt;
    }

    @Override
    public String name() {
        return "ns16550a";
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

    @Override
    public synchronized void transmitterReady() {
        transmitPending = true;
        updateInterrupt();
    }

    private int depth() {
        return (fcr & FCR_ENABLE) != 0 ? DEPTH : 1;
    }

    private void receive() {
        if ((mcr & MCR_LOOPBACK) == 0) {
            fifo.receive((ier & IER_RECEIVE) != 0, depth());
        }
    }

    private int cause() {
        if ((ier & IER_RECEIVE) != 0 && !fifo.isEmpty()) {
            return IIR_RECEIVE;
        }
        return (ier & IER_TRANSMIT) != 0 && transmitPending ? IIR_TRANSMIT : IIR_NONE;
    }

    private void updateInterrupt() {
        int cause = cause();
        if (cause != IIR_NONE && cause != lastCause) {
            interrupt.raise();
        }
        lastCause = cause;
    }

    @Override
    public synchronized long read(long offset, int size) {
        boolean dlab = (lcr & LCR_DLAB) != 0;
        return switch ((int) offset) {
            case DATA -> dlab ? divisor & 0xff : readData();
            case IER -> dlab ? divisor >> 8 : ier;
            case IIR_FCR -> readCause();
            case LCR -> lcr;
            case MCR -> mcr;
            case LSR -> readStatus();
            case MSR -> modem();
            case SCR -> scr;
            default -> 0;
        };
    }

    private long readData() {
        Byte value = fifo.take();
        receive();
        lastCause = fifo.isEmpty() ? lastCause : IIR_NONE;
        updateInterrupt();
        return value == null ? 0 : value & 0xff;
    }

    private long readCause() {
        int cause = cause();
        if (cause == IIR_TRANSMIT) {
            transmitPending = false;
        }
        updateInterrupt();
        return cause | ((fcr & FCR_ENABLE) != 0 ? IIR_FIFO : 0);
    }

    private long readStatus() {
        if (ier == 0 && fifo.polled()) {
            receive();
        }
        return (output.isFull() ? 0 : LSR_TRANSMITTER_EMPTY) | (fifo.isEmpty() ? 0 : LSR_DATA);
    }

    /** In loopback the modem's lines show our own: DTR, RTS, OUT1 and OUT2 as DSR, CTS, RI and DCD. */
    private int modem() {
        if ((mcr & MCR_LOOPBACK) == 0) {
            return MSR_CONNECTED;
        }
        return (mcr & 1) << 5 | (mcr & 2) << 3 | (mcr & 0xc) << 4;
    }

    @Override
    public synchronized void write(long offset, int size, long value) {
        int word = (int) value & 0xff;
        boolean dlab = (lcr & LCR_DLAB) != 0;
        switch ((int) offset) {
            case DATA -> {
                if (dlab) {
                    divisor = divisor & 0xff00 | word;
                } else {
                    transmit(word);
                }
            }
            case IER -> {
                if (dlab) {
                    divisor = divisor & 0xff | word << 8;
                } else {
                    // enabling the interrupt of a transmitter that is empty asserts it
                    transmitPending |= (word & ~ier & IER_TRANSMIT) != 0 && !output.isFull();
                    ier = word & IER_MASK;
                    lastCause = IIR_NONE;
                }
            }
            case IIR_FCR -> {
                fcr = word;
                if ((word & FCR_CLEAR_RECEIVE) != 0) {
                    fifo.clear();
                }
            }
            case LCR -> lcr = word;
            case MCR -> mcr = word & MCR_MASK;
            case SCR -> scr = word;
            default -> { }
        }
        if (offset != DATA) {
            receive();
        }
        updateInterrupt();
    }

    private void transmit(int value) {
        fifo.transmitting();
        if ((mcr & MCR_LOOPBACK) != 0) {
            fifo.loop(value, depth());
        } else {
            output.put(value);
        }
        transmitPending = !output.isFull();
        lastCause = lastCause == IIR_TRANSMIT ? IIR_NONE : lastCause;
    }
}
