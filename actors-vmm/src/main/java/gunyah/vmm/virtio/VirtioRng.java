package gunyah.vmm.virtio;

import java.util.random.RandomGenerator;

/** A virtio entropy source (virtio 1.2, 5.4): fills every buffer it gets. */
public final class VirtioRng implements VirtioDevice {
    private static final int ID = 4;
    /** A driver asks for little at a time; more than this of one buffer stays as it is. */
    private static final int MAX_BYTES = 4096;
    private static final int BATCH = 16;

    private final RandomGenerator random;
    private final byte[] stage = new byte[MAX_BYTES];
    private DeviceQueues queues;
    private DescriptorChain chain;

    /** @param random whose numbers nobody can guess */
    public VirtioRng(RandomGenerator random) {
        this.random = random;
    }

    @Override
    public String name() {
        return "virtio-rng";
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
        return 1;
    }

    @Override
    public byte[] config() {
        return new byte[0];
    }

    @Override
    public void started(DeviceQueues running) {
        queues = running;
        chain = new DescriptorChain(running.memory());
    }

    @Override
    public void reset() {
        queues = null;
    }

    @Override
    public void process(int index) {
        Virtqueue queue = queues.queue(index);
        int served = 0;
        while (queue != null && queue.pop(chain)) {
            random.nextBytes(stage);
            chain.write(stage, 0, (int) Math.min(chain.writable(), MAX_BYTES));
            queue.push(chain);
            if (++served == BATCH) {
                queues.schedule(index);
                queues.notifyDriver(index);
                return;
            }
        }
        queues.notifyDriver(index);
        if (queue != null && queue.expectNotification()) {
            queues.schedule(index);
        }
    }
}
