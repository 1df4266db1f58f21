package gunyah.hyp.virtiommio;

import gunyah.hyp.StateText;

/** The registers that a store of the frontend only sets or selects (virtio 1.2, 4.2.2). The device's actor only. */
final class DeviceRegisters {
    private final RegisterPage page;
    private final QueueRegisters[] queues;
    private final int[] deviceFeatures;
    private final int[] driverFeatures;
    /** Null unless the configuration space is virtio-input's. */
    private final InputDevice input;
    private int driverSelect;
    private int queueSelect;

    DeviceRegisters(RegisterPage page, int queueCount, int[] deviceFeatures, InputDevice input) {
        this.page = page;
        this.deviceFeatures = deviceFeatures;
        this.driverFeatures = new int[deviceFeatures.length];
        this.input = input;
        this.queues = new QueueRegisters[queueCount];
        for (int i = 0; i < queueCount; i++) {
            queues[i] = new QueueRegisters();
        }
    }

    /** {@return the queue, or null} */
    QueueRegisters queue(long index) {
        return index >= 0 && index < queues.length ? queues[(int) index] : null;
    }

    int driverFeatures(int select) {
        return driverFeatures[select];
    }

    void stopQueues() {
        for (QueueRegisters queue : queues) {
            queue.ready = 0;
        }
        page.word(RegisterPage.QUEUE_READY, 0);
    }

    /** {@return false when the store must fault} */
    boolean store(int offset, int size, int value) {
        long number = Integer.toUnsignedLong(value);
        switch (offset) {
            case RegisterPage.DEVICE_FEATURES_SEL -> {
                if (number >= deviceFeatures.length) {
                    return false;
                }
                page.word(RegisterPage.DEVICE_FEATURES, deviceFeatures[value]);
            }
            case RegisterPage.DRIVER_FEATURES_SEL -> {
                if (number >= driverFeatures.length) {
                    return false;
                }
                driverSelect = value;
            }
            case RegisterPage.DRIVER_FEATURES -> driverFeatures[driverSelect] = value;
            case RegisterPage.QUEUE_SEL -> {
                if (number >= queues.length) {
                    return false;
                }
                queueSelect = value;
                page.word(RegisterPage.QUEUE_NUM_MAX, queues[value].numMax);
                page.word(RegisterPage.QUEUE_READY, queues[value].ready);
            }
            default -> {
                return offset >= RegisterPage.CONFIG ? storeConfig(offset, size, value) : storeQueue(offset, value);
            }
        }
        return true;
    }

    private boolean storeQueue(int offset, int value) {
        QueueRegisters queue = queue(queueSelect);
        if (queue == null) {
            return false;
        }
        switch (offset) {
            case RegisterPage.QUEUE_NUM -> queue.num = value;
            case RegisterPage.QUEUE_READY -> {
                page.word(RegisterPage.QUEUE_READY, value);
                queue.ready = value;
            }
            case RegisterPage.QUEUE_DESC_LOW -> queue.descriptors = QueueRegisters.withLow(queue.descriptors, value);
            case RegisterPage.QUEUE_DESC_HIGH -> queue.descriptors = QueueRegisters.withHigh(queue.descriptors, value);
            case RegisterPage.QUEUE_DRIVER_LOW -> queue.driver = QueueRegisters.withLow(queue.driver, value);
            case RegisterPage.QUEUE_DRIVER_HIGH -> queue.driver = QueueRegisters.withHigh(queue.driver, value);
            case RegisterPage.QUEUE_DEVICE_LOW -> queue.device = QueueRegisters.withLow(queue.device, value);
            case RegisterPage.QUEUE_DEVICE_HIGH -> queue.device = QueueRegisters.withHigh(queue.device, value);
            default -> {
                return false;
            }
        }
        return true;
    }

    private boolean storeConfig(int offset, int size, int value) {
        if (input != null) {
            return input.store(offset - RegisterPage.CONFIG, size, value);
        }
        for (int i = 0; i < size; i++) {
            page.octet(offset + i, value >>> 8 * i);
        }
        return true;
    }

    void describe(StateText text) {
        text.put("driver.0", driverFeatures[0]).put("driver.1", driverFeatures[1]);
        text.put("driver.select", driverSelect).put("queue.select", queueSelect);
        for (int i = 0; i < queues.length; i++) {
            queues[i].describe(text, i);
        }
    }
}
