package gunyah.vmm.virtio;

import gunyah.vmm.device.InterruptLine;
import gunyah.vmm.device.MmioDevice;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Virtio over MMIO, register layout version 2 (virtio 1.2, 4.2.2). Registers are answered on the host CPU of the vCPU;
 * queue notifications come past them, through {@link #notified}.
 *
 * <p>The monitor {@code this} guards registers and queues; the device's loop holds it for each piece of work, so that
 * after a reset the driver's memory is not touched any more. What interrupt handlers read is atomic instead.
 */
public final class VirtioMmio implements MmioDevice, DeviceQueues {
    /** Bytes of registers and configuration. */
    public static final int SIZE = 0x200;
    public static final int QUEUE_NOTIFY = 0x50;

    private static final int MAGIC_VALUE = 0x00;
    private static final int VERSION = 0x04;
    private static final int DEVICE_ID = 0x08;
    private static final int VENDOR_ID = 0x0c;
    private static final int DEVICE_FEATURES = 0x10;
    private static final int DEVICE_FEATURES_SEL = 0x14;
    private static final int DRIVER_FEATURES = 0x20;
    private static final int DRIVER_FEATURES_SEL = 0x24;
    private static final int QUEUE_SEL = 0x30;
    private static final int QUEUE_NUM_MAX = 0x34;
    private static final int QUEUE_NUM = 0x38;
    private static final int QUEUE_READY = 0x44;
    private static final int INTERRUPT_STATUS = 0x60;
    private static final int INTERRUPT_ACK = 0x64;
    private static final int STATUS = 0x70;
    private static final int QUEUE_DESC = 0x80;
    private static final int QUEUE_DRIVER = 0x90;
    private static final int QUEUE_DEVICE = 0xa0;
    private static final int SHM_LEN_LOW = 0xb0;
    private static final int SHM_BASE_HIGH = 0xbc;
    private static final int CONFIG_GENERATION = 0xfc;
    private static final int CONFIG = 0x100;

    private static final int MAGIC = 0x74726976;
    private static final int LAYOUT_VERSION = 2;
    private static final int VENDOR = 0x594e5547;

    private static final int STATUS_FEATURES_OK = 8;
    private static final int STATUS_DRIVER_OK = 4;
    private static final int STATUS_NEEDS_RESET = 0x40;
    private static final int STATUS_MASK = 0xff;
    private static final int INTERRUPT_USED = 1;
    private static final int INTERRUPT_CONFIG = 2;

    private static final Logger LOG = LoggerFactory.getLogger(VirtioMmio.class);

    /** What the driver wrote about one queue. */
    private static final class QueueRegisters {
        int size = Virtqueue.MAX_SIZE;
        final long[] address = new long[3];
        Virtqueue queue;
        boolean ready;
    }

    private final VirtioDevice device;
    private final GuestMemory memory;
    private final InterruptLine interrupt;
    private final DeviceLoop loop;
    private final AtomicInteger interruptStatus = new AtomicInteger();
    private final AtomicInteger generation = new AtomicInteger();
    private final QueueRegisters[] queues;
    private volatile int status;
    private volatile long driverFeatures;
    private int deviceFeaturesSelect;
    private int driverFeaturesSelect;
    private int queueSelect;
    private boolean running;
    private boolean closed;

    /**
     * Puts a device behind registers.
     *
     * @param memory what it can reach
     * @param worker runs the device's work; may block
     */
    public VirtioMmio(VirtioDevice device, GuestMemory memory, InterruptLine interrupt, Executor worker) {
        this.device = device;
        this.memory = memory;
        this.interrupt = interrupt;
        this.loop = new DeviceLoop(worker, this::work);
        this.queues = new QueueRegisters[device.queueCount()];
        clearQueues();
    }

    private void clearQueues() {
        for (int i = 0; i < queues.length; i++) {
            queues[i] = new QueueRegisters();
        }
    }

    @Override
    public String name() {
        return device.name();
    }

    private long offered() {
        return device.features() | Features.TRANSPORT | required();
    }

    /** What a driver cannot leave out. */
    private long required() {
        return Features.VERSION_1 | (memory.isWhole() ? 0 : Features.ACCESS_PLATFORM);
    }

    @Override
    public long read(long offset, int size) {
        if (offset >= CONFIG) {
            return readConfig((int) offset - CONFIG, size);
        }
        if (size != 4) {
            return 0;
        }
        return switch ((int) offset) {
            case MAGIC_VALUE -> MAGIC;
            case VERSION -> LAYOUT_VERSION;
            case DEVICE_ID -> device.id();
            case VENDOR_ID -> VENDOR;
            case INTERRUPT_STATUS -> interruptStatus.get();
            case STATUS -> status;
            case CONFIG_GENERATION -> generation.get() & 0xffff_ffffL;
            default -> readQueueRegister((int) offset);
        };
    }

    private synchronized long readQueueRegister(int offset) {
        if (offset == DEVICE_FEATURES) {
            return deviceFeaturesSelect > 1 || deviceFeaturesSelect < 0 ? 0
                    : offered() >>> 32 * deviceFeaturesSelect & 0xffff_ffffL;
        }
        if (offset >= SHM_LEN_LOW && offset <= SHM_BASE_HIGH) {
            return 0xffff_ffffL;
        }
        QueueRegisters queue = selected();
        return switch (offset) {
            case QUEUE_NUM_MAX -> queue == null ? 0 : Virtqueue.MAX_SIZE;
            case QUEUE_READY -> queue != null && queue.ready ? 1 : 0;
            default -> 0;
        };
    }

    private long readConfig(int at, int size) {
        byte[] config = device.config();
        long value = 0;
        for (int i = Math.min(size, config.length - at) - 1; i >= 0; i--) {
            value = value << 8 | config[at + i] & 0xff;
        }
        return value;
    }

    private QueueRegisters selected() {
        return queueSelect >= 0 && queueSelect < queues.length ? queues[queueSelect] : null;
    }

    @Override
    public void write(long offset, int size, long value) {
        if (offset >= CONFIG) {
            device.configWrite((int) offset - CONFIG, size, value);
        } else if (size == 4) {
            if (offset == INTERRUPT_ACK) {
                interruptStatus.updateAndGet(s -> s & ~(int) value);
            } else if (offset == QUEUE_NOTIFY) {
                notified(value);
            } else {
                writeRegister((int) offset, (int) value);
            }
        }
    }

    private synchronized void writeRegister(int offset, int value) {
        switch (offset) {
            case DEVICE_FEATURES_SEL -> deviceFeaturesSelect = value;
            case DRIVER_FEATURES_SEL -> driverFeaturesSelect = value;
            case DRIVER_FEATURES -> writeFeatures(value);
            case QUEUE_SEL -> queueSelect = value;
            case STATUS -> writeStatus(value & STATUS_MASK);
            default -> writeQueueRegister(offset, value);
        }
    }

    private void writeFeatures(int value) {
        if ((status & STATUS_FEATURES_OK) == 0 && driverFeaturesSelect >= 0 && driverFeaturesSelect <= 1) {
            int shift = 32 * driverFeaturesSelect;
            driverFeatures = driverFeatures & ~(0xffff_ffffL << shift) | (value & 0xffff_ffffL) << shift;
        }
    }

    private void writeQueueRegister(int offset, int value) {
        QueueRegisters queue = selected();
        if (queue == null) {
            return;
        }
        if (offset == QUEUE_READY) {
            writeReady(queue, value);
        } else if (!queue.ready && offset == QUEUE_NUM) {
            queue.size = value;
        } else if (!queue.ready && offset >= QUEUE_DESC && offset <= QUEUE_DEVICE + 4 && (offset & 0xf) <= 4) {
            int which = (offset - QUEUE_DESC) / (QUEUE_DRIVER - QUEUE_DESC);
            int shift = (offset & 4) * 8;
            queue.address[which] = queue.address[which] & ~(0xffff_ffffL << shift) | (value & 0xffff_ffffL) << shift;
        }
    }

    private void writeReady(QueueRegisters queue, int value) {
        if (value == 0) {
            queue.ready = false;
            queue.queue = null;
            return;
        }
        if (value != 1 || queue.ready || (status & STATUS_FEATURES_OK) == 0) {
            return;
        }
        queue.queue = Virtqueue.of(memory, queue.size, queue.address[0], queue.address[1], queue.address[2],
                driverFeatures);
        if (queue.queue == null) {
            needsReset("queue %d of %d entries at 0x%x, 0x%x, 0x%x".formatted(queueSelect, queue.size,
                    queue.address[0], queue.address[1], queue.address[2]));
        } else {
            queue.ready = true;
        }
    }

    private void writeStatus(int value) {
        if (value == 0) {
            reset();
            return;
        }
        int accepted = value;
        if ((value & ~status & STATUS_FEATURES_OK) != 0 && !featuresAcceptable()) {
            accepted &= ~STATUS_FEATURES_OK;
        }
        boolean starts = (accepted & ~status & STATUS_DRIVER_OK) != 0 && (accepted & STATUS_FEATURES_OK) != 0;
        status = accepted | status & STATUS_NEEDS_RESET;
        if (starts && !running && !closed && (status & STATUS_NEEDS_RESET) == 0) {
            running = true;
            guarded(() -> device.started(this));
            for (int i = 0; i < queues.length; i++) {
                loop.request(i);
            }
        }
    }

    private boolean featuresAcceptable() {
        return (driverFeatures & ~offered()) == 0 && (driverFeatures & required()) == required()
                && device.accepts(driverFeatures);
    }

    private void reset() {
        if (running) {
            running = false;
            guarded(device::reset);
        }
        status = 0;
        driverFeatures = 0;
        deviceFeaturesSelect = 0;
        driverFeaturesSelect = 0;
        queueSelect = 0;
        interruptStatus.set(0);
        clearQueues();
    }

    /** The driver stored {@code value} into QueueNotify. Any thread; never blocks. */
    public void notified(long value) {
        if (value >= 0 && value < queues.length) {
            loop.request((int) value);
        }
    }

    private synchronized void work(int index) {
        if (!running || (status & STATUS_NEEDS_RESET) != 0) {
            return;
        }
        guarded(() -> device.process(index));
        for (QueueRegisters registers : queues) {
            if (registers.queue != null && registers.queue.broken() != null) {
                needsReset(registers.queue.broken());
                return;
            }
        }
    }

    /** A defect of a device must not end its loop, nor the vCPU that writes its registers. */
    private void guarded(Runnable action) {
        try {
            action.run();
        } catch (RuntimeException e) {
            LOG.error("{} failed", device.name(), e);
            needsReset("a defect of the device");
        }
    }

    /** The driver finds out by the configuration interrupt, or when it looks (virtio 1.2, 2.1.2). */
    private void needsReset(String reason) {
        if ((status & STATUS_NEEDS_RESET) == 0) {
            LOG.warn("{} needs a reset: {}", device.name(), reason);
            status |= STATUS_NEEDS_RESET;
            if ((status & STATUS_DRIVER_OK) != 0) {
                raise(INTERRUPT_CONFIG);
            }
        }
    }

    private void raise(int cause) {
        interruptStatus.updateAndGet(s -> s | cause);
        interrupt.raise();
    }

    @Override
    public Virtqueue queue(int index) {
        return queues[index].queue;
    }

    @Override
    public long features() {
        return driverFeatures;
    }

    @Override
    public GuestMemory memory() {
        return memory;
    }

    @Override
    public void notifyDriver(int index) {
        if (queues[index].queue != null && queues[index].queue.wantsInterrupt()) {
            raise(INTERRUPT_USED);
        }
    }

    @Override
    public void configChanged() {
        generation.incrementAndGet();
        if ((status & STATUS_DRIVER_OK) != 0) {
            raise(INTERRUPT_CONFIG);
        }
    }

    @Override
    public void schedule(int index) {
        loop.request(index);
    }

    /** Ends the device for good. {@return when it touches the guest's memory no more} */
    public CompletionStage<Void> close() {
        return loop.close().thenRun(() -> {
            synchronized (this) {
                closed = true;
                reset();
                device.close();
            }
        });
    }
}
