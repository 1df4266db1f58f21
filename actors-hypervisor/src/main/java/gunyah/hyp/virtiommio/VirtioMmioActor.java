package gunyah.hyp.virtiommio;

import static gunyah.hyp.virtiommio.RegisterPage.INTERRUPT_STATUS;
import static gunyah.hyp.virtiommio.RegisterPage.STATUS;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import gunyah.hyp.Caller;
import gunyah.hyp.HypError;
import gunyah.hyp.ObjectBehavior;
import gunyah.hyp.ReplySlot;
import gunyah.hyp.StateText;
import gunyah.hyp.VirqSource;
import java.util.function.Consumer;

/**
 * The state of one virtio device: banked registers, features, what the frontend has notified (Gunyah
 * hyp/vm/virtio_mmio). One turn per call or store; never blocks; hypercall dispatcher.
 */
final class VirtioMmioActor {
    static final int NEEDS_RESET = 1 << 6;
    static final int REASON_NEW_BUFFER = 1;
    static final int REASON_RESET = 1 << 1;
    static final int REASON_DRIVER_OK = 1 << 3;
    static final int REASON_FAILED = 1 << 4;

    private static final int DRIVER_OK = 1 << 2;
    private static final int FAILED = 1 << 7;
    private static final int FEATURE_WORDS = 2;
    /** Features 32 and 33: VERSION_1 and ACCESS_PLATFORM, without which a device is not offered. */
    private static final int FEATURES_REQUIRED = 3;
    /** Feature 38, NOTIFICATION_DATA: the notify register would carry more than a queue's number. */
    private static final int FEATURES_REFUSED = 1 << 6;

    /** What a device can be told. */
    sealed interface Command extends ObjectBehavior.Call {
    }

    /** A store of the frontend; answers ARGUMENT_INVALID when it must fault. */
    record Store(int offset, int size, long value, ReplySlot replyTo) implements Command {
    }

    record AssertVirq(int interruptStatus, ReplySlot replyTo) implements Command {
    }

    record DeviceFeatures(long select, int features, ReplySlot replyTo) implements Command {
    }

    record QueueMax(long select, int max, ReplySlot replyTo) implements Command {
    }

    /** Answers 32 features. */
    record DriverFeatures(long select, ReplySlot replyTo) implements Command {
    }

    /** Leaves five results in {@code x[1..5]} while the caller waits. */
    record QueueInfo(long select, long[] x, ReplySlot replyTo) implements Command {
    }

    /** Answers queues and reasons. */
    record TakeNotification(ReplySlot replyTo) implements Command {
    }

    record AcknowledgeReset(ReplySlot replyTo) implements Command {
    }

    record UpdateStatus(int bits, ReplySlot replyTo) implements Command {
    }

    record ConfigureInput(long deviceIds, int propertyBits, long eventTypes, long axes, ReplySlot replyTo)
            implements Command {
    }

    /** The data is copied from the caller in this turn, after everything else was found right. */
    record InputData(Caller caller, int select, int subselect, long size, long va, ReplySlot replyTo)
            implements Command {
    }

    record Describe(StateText text, ReplySlot replyTo) implements Command {
    }

    private enum Stop implements Command {
        INSTANCE;

        @Override
        public ReplySlot replyTo() {
            return null;
        }
    }

    /** The two lines; what their check-pending asks was written by the actor before it asserted. */
    static final class Lines {
        private volatile RegisterPage page;
        private volatile long reason;

        final VirqSource toFrontend = new VirqSource() {
            @Override
            public boolean checkPending(boolean reasserted) {
                RegisterPage registers = page;
                return reasserted || registers != null && registers.word(INTERRUPT_STATUS) != 0;
            }
        };
        final VirqSource toBackend = new VirqSource() {
            @Override
            public boolean checkPending(boolean reasserted) {
                return reasserted || reason != 0;
            }
        };
    }

    private final RegisterPage page;
    private final DeviceRegisters registers;
    private final InputDevice input;
    private final Lines lines;
    private final int[] deviceFeatures = new int[FEATURE_WORDS];
    private long notified;
    private long reason;

    private VirtioMmioActor(RegisterPage page, int queues, DeviceType type, Lines lines) {
        this.page = page;
        this.lines = lines;
        this.input = type == DeviceType.INPUT ? new InputDevice(page) : null;
        this.registers = new DeviceRegisters(page, queues, deviceFeatures, input);
        lines.page = page;
    }

    static Behavior<Command> create(RegisterPage page, int queues, DeviceType type, Lines lines,
            Consumer<String> broken) {
        VirtioMmioActor actor = new VirtioMmioActor(page, queues, type, lines);
        return ObjectBehavior.of(broken, actor::onCommand);
    }

    static Command stop() {
        return Stop.INSTANCE;
    }

    private Behavior<Command> onCommand(Command command) {
        switch (command) {
            case Store store -> store.replyTo().reply(onStore(store));
            case AssertVirq virq -> virq.replyTo().reply(onAssertVirq(virq.interruptStatus()));
            case DeviceFeatures features -> features.replyTo().reply(onDeviceFeatures(features));
            case QueueMax max -> max.replyTo().reply(onQueueMax(max));
            case DriverFeatures features -> onDriverFeatures(features);
            case QueueInfo info -> info.replyTo().reply(onQueueInfo(info));
            case TakeNotification take -> onTakeNotification(take.replyTo());
            case AcknowledgeReset reset -> {
                page.word(STATUS, 0);
                reset.replyTo().reply(HypError.OK);
            }
            case UpdateStatus update -> {
                page.setBits(STATUS, update.bits());
                update.replyTo().reply(HypError.OK);
            }
            case ConfigureInput configure -> configure.replyTo().reply(input == null ? HypError.OBJECT_CONFIG
                    : input.configure(configure));
            case InputData data -> data.replyTo().reply(input == null ? HypError.CSPACE_WRONG_OBJECT_TYPE
                    : input.put(data));
            case Describe describe -> onDescribe(describe);
            case Stop stop -> {
                return Behaviors.stopped();
            }
        }
        return Behaviors.same();
    }

    private HypError onStore(Store store) {
        if (!allowed(store.offset(), store.size())) {
            return HypError.ARGUMENT_INVALID;
        }
        int value = (int) store.value();
        switch (store.offset()) {
            case RegisterPage.QUEUE_NOTIFY -> {
                notified |= 1L << value;
                tellBackend(REASON_NEW_BUFFER);
            }
            case RegisterPage.INTERRUPT_ACK -> page.clearBits(INTERRUPT_STATUS, value);
            case STATUS -> onStatus(value);
            default -> {
                return registers.store(store.offset(), store.size(), value) ? HypError.OK : HypError.ARGUMENT_INVALID;
            }
        }
        return HypError.OK;
    }

    private static boolean allowed(int offset, int size) {
        return size == Integer.BYTES && (offset & 3) == 0 || size == 1 && offset >= RegisterPage.CONFIG;
    }

    /** A driver asks for a reset by writing 0, and reads 0 when the backend has done it. */
    private void onStatus(int value) {
        int before = page.word(STATUS);
        if (value != 0) {
            page.word(STATUS, value);
            if ((before & DRIVER_OK) == 0 && (value & DRIVER_OK) != 0) {
                tellBackend(REASON_DRIVER_OK);
            } else if ((before & FAILED) == 0 && (value & FAILED) != 0) {
                tellBackend(REASON_FAILED);
            }
        } else if (before != 0) {
            page.setBits(STATUS, NEEDS_RESET);
            registers.stopQueues();
            tellBackend(REASON_RESET);
        }
    }

    private void tellBackend(int why) {
        reason |= why;
        lines.reason = reason;
        lines.toBackend.assertVirq(false);
    }

    private HypError onAssertVirq(int interruptStatus) {
        if ((page.word(STATUS) & NEEDS_RESET) != 0) {
            return HypError.DENIED;
        }
        page.setBits(INTERRUPT_STATUS, interruptStatus);
        lines.toFrontend.assertVirq(false);
        return HypError.OK;
    }

    private HypError onDeviceFeatures(DeviceFeatures features) {
        if (features.select() >= FEATURE_WORDS) {
            return HypError.ARGUMENT_INVALID;
        }
        int bits = features.features();
        if (features.select() == 1
                && ((bits & FEATURES_REQUIRED) != FEATURES_REQUIRED || (bits & FEATURES_REFUSED) != 0)) {
            return HypError.DENIED;
        }
        deviceFeatures[(int) features.select()] = bits;
        return HypError.OK;
    }

    private HypError onQueueMax(QueueMax max) {
        QueueRegisters queue = registers.queue(max.select());
        if (queue == null) {
            return HypError.ARGUMENT_INVALID;
        }
        queue.numMax = max.max();
        return HypError.OK;
    }

    private void onDriverFeatures(DriverFeatures features) {
        boolean known = features.select() < FEATURE_WORDS;
        features.replyTo().reply(known ? HypError.OK : HypError.ARGUMENT_INVALID,
                known ? Integer.toUnsignedLong(registers.driverFeatures((int) features.select())) : 0);
    }

    private HypError onQueueInfo(QueueInfo info) {
        QueueRegisters queue = registers.queue(info.select());
        if (queue == null) {
            return HypError.ARGUMENT_INVALID;
        }
        long[] x = info.x();
        x[1] = Integer.toUnsignedLong(queue.num);
        x[2] = Integer.toUnsignedLong(queue.ready);
        x[3] = queue.descriptors;
        x[4] = queue.driver;
        x[5] = queue.device;
        return HypError.OK;
    }

    private void onTakeNotification(ReplySlot replyTo) {
        long queues = notified;
        long why = reason;
        notified = 0;
        reason = 0;
        lines.reason = 0;
        replyTo.reply(HypError.OK, queues, why);
    }

    private void onDescribe(Describe describe) {
        StateText text = describe.text();
        text.put("features.0", deviceFeatures[0]).put("features.1", deviceFeatures[1]);
        text.put("notified", notified).put("reason", reason);
        text.put("status", page.word(STATUS)).put("interrupts", page.word(INTERRUPT_STATUS));
        registers.describe(text);
        if (input != null) {
            input.describe(text);
        }
        describe.replyTo().reply(HypError.OK);
    }
}
