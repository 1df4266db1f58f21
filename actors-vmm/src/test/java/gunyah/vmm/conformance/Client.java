package gunyah.vmm.conformance;

import gunyah.vmm.driver.Errno;
import gunyah.vmm.driver.GunyahDevice;
import gunyah.vmm.driver.GunyahError;
import gunyah.vmm.driver.HostMapping;
import gunyah.vmm.driver.RunPage;
import gunyah.vmm.uapi.Dialect;
import gunyah.vmm.uapi.FunctionProviders;
import gunyah.vmm.uapi.GunyahFiles;
import gunyah.vmm.uapi.UserMemory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * A process that uses the driver as a C program does: system calls, numbers, structures in its memory. Nothing of the
 * driver's types is used for a call. Results are those of the system calls.
 */
final class Client implements AutoCloseable {
    static final int CREATE_VM = 0x0000_4700;
    static final int CREATE_GUEST_MEM = 0x4040_4708;
    static final int SET_USER_MEM_REGION = 0x4020_4701;
    static final int LEND_USER_MEM = 0x4020_4111;
    static final int SET_DTB_CONFIG = 0x4010_4702;
    static final int START = 0x0000_4703;
    static final int ADD_FUNCTION = 0x4010_4704;
    static final int REMOVE_FUNCTION = 0x4010_4707;
    static final int MAP_MEM = 0x4020_4709;
    static final int SET_BOOT_CONTEXT = 0x4010_470A;
    static final int RUN = 0x0000_4705;
    static final int MMAP_SIZE = 0x0000_4706;

    static final int VCPU = 1;
    static final int IRQFD = 2;
    static final int IOEVENTFD = 3;

    static final int LEND = 1;
    static final int SHARE = 2;
    static final int R = 0x10;
    static final int W = 0x20;
    static final int X = 0x40;
    static final int RWX = R | W | X;
    static final int UNMAP = 0x100;

    static final int KEEP_SIZE = 1;
    static final int PUNCH = KEEP_SIZE | 2;

    /** Address of the process's first byte. */
    private static final long HEAP = 0x1000;
    private static final int HEAP_SIZE = 4096;

    private final byte[] heap = new byte[HEAP_SIZE];
    private int top;
    final FunctionProviders providers = new FunctionProviders();
    final GunyahFiles files;
    final int device;

    Client(GunyahDevice gunyah) {
        this(gunyah, Dialect.V17);
    }

    Client(GunyahDevice gunyah, Dialect dialect) {
        files = new GunyahFiles(gunyah, (UserMemory) this::read, providers, dialect);
        device = (int) files.open();
    }

    private synchronized byte[] read(long address, int length) {
        if (address < HEAP || address > HEAP + HEAP_SIZE - length) {
            throw new GunyahError(Errno.EFAULT, "0x%x is not the process's".formatted(address));
        }
        int from = (int) (address - HEAP);
        return Arrays.copyOfRange(heap, from, from + length);
    }

    /** {@return the address of a structure of these bytes; the oldest are overwritten in time} */
    synchronized long struct(ByteBuffer bytes) {
        byte[] content = bytes.array();
        if (top + content.length > HEAP_SIZE) {
            top = 0;
        }
        System.arraycopy(content, 0, heap, top, content.length);
        long address = HEAP + top;
        top += content.length + 7 & -8;
        return address;
    }

    static ByteBuffer bytes(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** {@return the result of a call that failed so} */
    static long failed(Errno errno) {
        return -errno.number();
    }

    long ioctl(int fd, int number, long argument) {
        return files.ioctl(fd, number, argument);
    }

    int createVm() {
        return (int) ioctl(device, CREATE_VM, 0);
    }

    long createMemory(long size, long flags) {
        return ioctl(device, CREATE_GUEST_MEM, struct(bytes(64).putLong(0, flags).putLong(8, size)));
    }

    long map(int vm, int flags, int memory, long gpa, long offset, long size) {
        return ioctl(vm, MAP_MEM, struct(bytes(32).putLong(0, gpa).putInt(8, flags).putInt(12, memory)
                .putLong(16, offset).putLong(24, size)));
    }

    /** One of the two calls that give a VM memory of this process. */
    long region(int vm, int request, int label, int flags, long gpa, long size, long address) {
        return ioctl(vm, request, struct(bytes(32).putInt(0, label).putInt(4, flags).putLong(8, gpa).putLong(16, size)
                .putLong(24, address)));
    }

    long setDtb(int vm, long gpa, long size) {
        return ioctl(vm, SET_DTB_CONFIG, struct(bytes(16).putLong(0, gpa).putLong(8, size)));
    }

    long setRegister(int vm, int set, int index, long value) {
        return ioctl(vm, SET_BOOT_CONTEXT, struct(bytes(16).putInt(0, set << 8 | index).putLong(8, value)));
    }

    long function(int vm, int request, int type, ByteBuffer argument) {
        long pointer = struct(argument);
        return ioctl(vm, request, struct(bytes(16).putInt(0, type).putInt(4, argument.capacity())
                .putLong(8, pointer)));
    }

    static ByteBuffer vcpu(int id) {
        return bytes(4).putInt(0, id);
    }

    static ByteBuffer irqFd(int fd, int label, int flags) {
        return bytes(16).putInt(0, fd).putInt(4, label).putInt(8, flags);
    }

    static ByteBuffer ioEventFd(long data, long address, int length, int fd, int flags) {
        return bytes(32).putLong(0, data).putLong(8, address).putInt(16, length).putInt(20, fd).putInt(24, flags);
    }

    int addVcpu(int vm, int id) {
        return (int) function(vm, ADD_FUNCTION, VCPU, vcpu(id));
    }

    long start(int vm) {
        return ioctl(vm, START, 0);
    }

    long run(int vcpu) {
        return ioctl(vcpu, RUN, 0);
    }

    int eventFd() {
        return (int) files.eventfd(0);
    }

    RunPage page(int vcpu) {
        return files.mapRunPage(vcpu);
    }

    HostMapping mmap(int memory, long offset, long length) {
        return files.mmap(memory, offset, length, true);
    }

    /** Copies into a memory file through a mapping of its pages, which is then closed. */
    void write(int memory, long offset, byte[] content) {
        long from = offset & -4096;
        long length = (offset + content.length + 4095 & -4096) - from;
        try (HostMapping mapping = mmap(memory, from, length)) {
            mapping.write(offset - from, content, 0, content.length);
        }
    }

    byte[] read(int memory, long offset, int count) {
        long from = offset & -4096;
        byte[] content = new byte[count];
        try (HostMapping mapping = mmap(memory, from, (offset + count + 4095 & -4096) - from)) {
            mapping.read(offset - from, content, 0, count);
        }
        return content;
    }

    long readLong(int memory, long offset) {
        return ByteBuffer.wrap(read(memory, offset, 8)).order(ByteOrder.LITTLE_ENDIAN).getLong();
    }

    void writeLong(int memory, long offset, long value) {
        write(memory, offset, bytes(8).putLong(0, value).array());
    }

    long close(int fd) {
        return files.close(fd);
    }

    @Override
    public void close() {
        files.close();
    }
}
