package gunyah.vmm.virtio;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;

/**
 * The driver's side of one device in Java, over array memory: what Linux does, in the order it does it. Work of the
 * device runs inside {@link #notify}, unless another executor is given. Rings of queue q are at BASE + q * 0x4000.
 */
public final class TestDriver {
    public static final int NEXT = 1;
    public static final int WRITE = 2;
    public static final int INDIRECT = 4;

    private static final int SIZE = 16;
    private static final int AVAIL = 0x2000;
    private static final int USED = 0x3000;
    private static final int BUFFERS = 0x40000;

    /** Part of a buffer: bytes for the device, or room for what it writes. */
    public record Part(byte[] content, int room) {
        public static Part out(byte[] content) {
            return new Part(content, 0);
        }

        public static Part in(int room) {
            return new Part(null, room);
        }

        int length() {
            return content == null ? room : content.length;
        }
    }

    public final ArrayMemory memory = new ArrayMemory(4 << 20);
    public final VirtioMmio transport;
    public int interrupts;
    private final int[] availIndex;
    private final int[] usedIndex;
    private final long platform;
    private int nextBuffer = BUFFERS;

    public TestDriver(VirtioDevice device) {
        this(device, Runnable::run);
    }

    /** @param worker runs the device's work */
    public TestDriver(VirtioDevice device, Executor worker) {
        this(device, worker, false);
    }

    /** @param whole whether the device reaches all memory, in two pieces */
    public TestDriver(VirtioDevice device, Executor worker, boolean whole) {
        GuestMemory reached = whole ? new SplitMemory(List.of(new ArrayMemory(0), memory)) : memory;
        platform = whole ? 0 : Features.ACCESS_PLATFORM;
        transport = new VirtioMmio(device, reached, () -> interrupts++, worker);
        availIndex = new int[device.queueCount()];
        usedIndex = new int[device.queueCount()];
    }

    public long read(int register) {
        return transport.read(register, 4);
    }

    public void write(int register, long value) {
        transport.write(register, 4, value);
    }

    public int status() {
        return (int) read(0x70);
    }

    /** {@return whether the device needs a reset} */
    public boolean isBroken() {
        return (status() & 0x40) != 0;
    }

    public static long queue(int index) {
        return ArrayMemory.BASE + index * 0x4000L;
    }

    /** Resets, negotiates these and the required features, makes all queues of 16 entries, sets DRIVER_OK. */
    public TestDriver start(long features) {
        write(0x70, 0);
        write(0x70, 1);
        write(0x70, 3);
        negotiate(features | Features.VERSION_1 | platform);
        write(0x70, 11);
        for (int i = 0; i < availIndex.length; i++) {
            makeQueue(i, SIZE);
            availIndex[i] = 0;
            usedIndex[i] = 0;
        }
        write(0x70, 15);
        return this;
    }

    public void negotiate(long features) {
        for (int half = 0; half < 2; half++) {
            write(0x24, half);
            write(0x20, features >>> 32 * half & 0xffff_ffffL);
        }
    }

    public void makeQueue(int index, int size) {
        write(0x30, index);
        write(0x38, size);
        memory.store16(queue(index) + AVAIL + 2, 0);
        memory.store16(queue(index) + USED + 2, 0);
        write(0x80, queue(index));
        write(0x84, queue(index) >>> 32);
        write(0x90, queue(index) + AVAIL);
        write(0x94, 0);
        write(0xa0, queue(index) + USED);
        write(0xa4, 0);
        write(0x44, 1);
    }

    /** Writes one descriptor of a queue's table. */
    public void descriptor(int queue, int index, long gpa, long length, int flags, int next) {
        descriptor(queue(queue) + index * 16L, gpa, length, flags, next);
    }

    public void descriptor(long at, long gpa, long length, int flags, int next) {
        memory.store64(at, gpa);
        memory.store32(at + 8, (int) length);
        memory.store16(at + 12, flags);
        memory.store16(at + 14, next);
    }

    /** Puts a chain's head into the available ring. */
    public void available(int queue, int head) {
        memory.store16(queue(queue) + AVAIL + 4 + 2L * (availIndex[queue] % SIZE), head);
        availIndex[queue] = availIndex[queue] + 1 & 0xffff;
        memory.store16(queue(queue) + AVAIL + 2, availIndex[queue]);
    }

    public void notify(int queue) {
        transport.notified(queue);
    }

    public long allocate(int length) {
        if (nextBuffer + length > memory.bytes.length) {
            nextBuffer = BUFFERS;
        }
        long gpa = ArrayMemory.BASE + nextBuffer;
        nextBuffer += length + 15 & -16;
        return gpa;
    }

    /** Makes a chain of parts, starting at descriptor {@code first}. {@return addresses of the parts} */
    public List<Long> chain(int queue, int first, Part... parts) {
        List<Long> addresses = new ArrayList<>();
        for (int i = 0; i < parts.length; i++) {
            long gpa = allocate(Math.max(1, parts[i].length()));
            addresses.add(gpa);
            if (parts[i].content() != null) {
                memory.write(gpa, parts[i].content(), 0, parts[i].content().length);
            }
            int flags = (parts[i].content() == null ? WRITE : 0) | (i + 1 < parts.length ? NEXT : 0);
            descriptor(queue, first + i, gpa, parts[i].length(), flags, first + i + 1);
        }
        available(queue, first);
        return addresses;
    }

    /** {@return how many buffers came back since last asked} */
    public int used(int queue) {
        int now = memory.load16(queue(queue) + USED + 2);
        int count = now - usedIndex[queue] & 0xffff;
        usedIndex[queue] = now;
        return count;
    }

    /** {@return the length in the last used entry} */
    public int usedLength(int queue) {
        int last = memory.load16(queue(queue) + USED + 2) - 1 & 0xffff;
        return memory.load32(queue(queue) + USED + 8 + 8L * (last % SIZE));
    }

    /** Sends a buffer and waits for it. {@return what the device wrote into the writable parts} */
    public byte[] call(int queue, Part... parts) {
        List<Long> addresses = chain(queue, 0, parts);
        notify(queue);
        if (used(queue) != 1) {
            throw new AssertionError("the buffer did not come back; status 0x%x".formatted(status()));
        }
        byte[] answer = new byte[0];
        for (int i = 0; i < parts.length; i++) {
            if (parts[i].content() == null) {
                byte[] piece = memory.copy(addresses.get(i), parts[i].room());
                byte[] longer = java.util.Arrays.copyOf(answer, answer.length + piece.length);
                System.arraycopy(piece, 0, longer, answer.length, piece.length);
                answer = longer;
            }
        }
        return answer;
    }
}
