package gunyah.vmm.virtio;

import gunyah.vmm.device.ConsoleDevice;
import gunyah.vmm.device.ConsoleSink;
import java.io.ByteArrayOutputStream;

/**
 * A virtio console with one port (virtio 1.2, 5.3): Linux's {@code hvc0}. Output waits for a reader that is behind; what
 * is typed waits, up to a limit, until the guest has buffers for it.
 */
public final class VirtioConsole implements VirtioDevice, ConsoleDevice {
    private static final int ID = 3;
    private static final int RECEIVE = 0;
    private static final int TRANSMIT = 1;
    private static final int STAGE = 4096;
    private static final int CONFIG_SIZE = 12;

    private final ConsoleSink output;
    private final byte[] stage = new byte[STAGE];
    private final ByteArrayOutputStream typed = new ByteArrayOutputStream();
    private volatile DeviceQueues queues;
    private DescriptorChain chain;

    /** @param output gets what the guest writes */
    public VirtioConsole(ConsoleSink output) {
        this.output = output;
    }

    @Override
    public String name() {
        return "virtio-console";
    }

    @Override
    public int id() {
        return ID;
    }

    @Override
    public long features() {
        return 0;
    }

    @Override
    public int queueCount() {
        return 2;
    }

    @Override
    public byte[] config() {
        return new byte[CONFIG_SIZE];
    }

    @Override
    public void started(DeviceQueues running) {
        chain = new DescriptorChain(running.memory());
        queues = running;
    }

    @Override
    public void reset() {
        queues = null;
    }

    @Override
    public void type(byte[] input) {
        synchronized (typed) {
            typed.writeBytes(input);
        }
        DeviceQueues running = queues;
        if (running != null) {
            running.schedule(RECEIVE);
        }
    }

    @Override
    public int untaken() {
        synchronized (typed) {
            return typed.size();
        }
    }

    @Override
    public void transmitterReady() {
        DeviceQueues running = queues;
        if (running != null) {
            running.schedule(TRANSMIT);
        }
    }

    @Override
    public void process(int index) {
        Virtqueue queue = queues.queue(index);
        if (queue == null) {
            return;
        }
        if (index == TRANSMIT) {
            transmit(queue);
        } else {
            receive(queue);
        }
        queues.notifyDriver(index);
    }

    private void transmit(Virtqueue queue) {
        while (!output.isFull()) {
            if (!queue.pop(chain)) {
                if (queue.expectNotification()) {
                    queues.schedule(TRANSMIT);
                }
                return;
            }
            long most = ConsoleSink.CAPACITY;
            int count = chain.read(stage, 0, STAGE);
            while (count > 0 && most > 0) {
                for (int i = 0; i < count; i++) {
                    output.put(stage[i]);
                }
                most -= count;
                count = chain.read(stage, 0, STAGE);
            }
            queue.push(chain);
        }
    }

    private void receive(Virtqueue queue) {
        synchronized (typed) {
            byte[] bytes = typed.toByteArray();
            int done = 0;
            while (done < bytes.length && queue.pop(chain)) {
                done += chain.write(bytes, done, bytes.length - done);
                queue.push(chain);
            }
            typed.reset();
            typed.write(bytes, done, bytes.length - done);
        }
        if (queue.expectNotification() && untaken() > 0) {
            queues.schedule(RECEIVE);
        }
    }
}
