package gunyah.vmm.uapi;

import gunyah.vmm.driver.Errno;
import gunyah.vmm.driver.GuestMemoryFile;
import gunyah.vmm.driver.GunyahDevice;
import gunyah.vmm.driver.GunyahError;
import gunyah.vmm.driver.GunyahVcpu;
import gunyah.vmm.driver.GunyahVm;
import gunyah.vmm.driver.HostMapping;
import gunyah.vmm.driver.RunPage;
import gunyah.vmm.driver.Uapi;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;

/**
 * The descriptors one process has on the driver, and the calls it makes with them: open, ioctl, mmap, fallocate,
 * ftruncate, eventfd, close (v17 user-space interface, or another {@link Dialect}). Results are those of the system calls: 0 or more, or a negative
 * error number. Calls block as in C: RUN until an exit, START until the VM runs, close of the last descriptor of a VM
 * until its teardown is done. Thread safe.
 */
public final class GunyahFiles implements AutoCloseable {
    private static final int FIRST_FD = 3;
    private static final int MAX_FD = 1 << 16;
    private static final int MAX_FUNCTION_ARGUMENT = 256;
    private static final int UNMAP = 0x100;
    private static final int REGION_ALLOW_RWX = 7;
    /** From the ALLOW bits of a region to those of MAP_MEM. */
    private static final int REGION_SHIFT = 4;

    private final GunyahDevice device;
    private final UserMemory memory;
    private final FunctionProviders providers;
    private final Dialect dialect;
    private final ProcessMemory own;
    private final Map<Integer, Descriptor> files = new HashMap<>();

    /** An open file and the calls under way with it, which keep it when its number is closed. */
    private static final class Descriptor {
        final OpenFile file;
        final List<Thread> calls = new ArrayList<>();
        boolean closed;

        Descriptor(OpenFile file) {
            this.file = file;
        }
    }

    /** @param memory where the process's structures are */
    public GunyahFiles(GunyahDevice device, UserMemory memory, FunctionProviders providers, Dialect dialect) {
        this.device = device;
        this.memory = memory;
        this.providers = providers;
        this.dialect = dialect;
        this.own = new ProcessMemory(device);
    }

    private interface Call {
        long run() throws InterruptedException;
    }

    private static long answered(Call call) {
        try {
            return call.run();
        } catch (GunyahError e) {
            return -e.errno().number();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return -Errno.EINTR.number();
        }
    }

    private static long await(CompletionStage<Void> stage) throws InterruptedException {
        try {
            stage.toCompletableFuture().get();
            return 0;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof GunyahError error) {
                throw error;
            }
            throw new IllegalStateException(e.getCause());
        }
    }

    private synchronized int add(OpenFile file) {
        int fd = FIRST_FD;
        while (files.containsKey(fd)) {
            fd++;
        }
        if (fd >= MAX_FD) {
            file.release();
            throw new GunyahError(Errno.EMFILE, "no descriptor is left");
        }
        files.put(fd, new Descriptor(file));
        return fd;
    }

    private synchronized Descriptor descriptor(int fd) {
        Descriptor descriptor = files.get(fd);
        if (descriptor == null) {
            throw new GunyahError(Errno.EBADF, "descriptor " + fd);
        }
        return descriptor;
    }

    private OpenFile file(int fd) {
        return descriptor(fd).file;
    }

    private synchronized Descriptor enter(int fd) {
        Descriptor descriptor = descriptor(fd);
        descriptor.calls.add(Thread.currentThread());
        return descriptor;
    }

    private void leave(Descriptor descriptor) throws InterruptedException {
        boolean last;
        synchronized (this) {
            descriptor.calls.remove(Thread.currentThread());
            last = descriptor.closed && descriptor.calls.isEmpty();
        }
        if (last) {
            await(descriptor.file.release());
        }
    }

    /** {@return the event behind a descriptor} @throws GunyahError EBADF, EINVAL when it is something else */
    EventFd event(int fd) {
        if (file(fd) instanceof OpenFile.Event event) {
            return event.event();
        }
        throw new GunyahError(Errno.EINVAL, "descriptor %d is no event".formatted(fd));
    }

    private GuestMemoryFile guestMemory(int fd, Errno otherwise) {
        if (file(fd) instanceof OpenFile.Memory file) {
            return file.file();
        }
        throw new GunyahError(otherwise, "descriptor %d is no guest memory".formatted(fd));
    }

    /** Opens a vCPU that keeps its VM. */
    int open(GunyahVcpu vcpu, GunyahVm vm) {
        SharedVm shared;
        synchronized (this) {
            shared = files.values().stream().map(each -> each.file).filter(OpenFile.Vm.class::isInstance).map(OpenFile.Vm.class::cast)
                    .map(OpenFile.Vm::vm).filter(each -> each.vm == vm).findFirst().orElseThrow();
            shared.keep();
        }
        return add(new OpenFile.Vcpu(vcpu, shared));
    }

    /** open("/dev/gunyah"). {@return a descriptor} */
    public long open() {
        return answered(() -> add(new OpenFile.Device()));
    }

    /** eventfd(2). {@return a descriptor} */
    public long eventfd(long initial) {
        return answered(() -> add(new OpenFile.Event(new EventFd(initial))));
    }

    /** write(2) to an event: what waits for it runs before this returns. */
    public long signal(int fd, long events) {
        return answered(() -> {
            event(fd).add(events);
            return 0;
        });
    }

    /** read(2) of an event that does not block. {@return the events since the last read, -EAGAIN without any} */
    public long events(int fd) {
        return answered(() -> {
            long events = event(fd).take();
            if (events == 0) {
                throw new GunyahError(Errno.EAGAIN, "no event");
            }
            return events;
        });
    }

    /** {@return whether exec would close it} A VM's and a vCPU's always. */
    public boolean isCloseOnExec(int fd) {
        return switch (file(fd)) {
            case OpenFile.Memory file -> file.closeOnExec();
            case OpenFile.Vm vm -> true;
            case OpenFile.Vcpu vcpu -> true;
            case OpenFile.Device device -> false;
            case OpenFile.Event event -> false;
        };
    }

    /**
     * close(2). Blocks until what only this descriptor kept is gone; a call under way keeps it, too, and then does that
     * when it returns.
     *
     * @return 0, or -EBADF
     */
    public long close(int fd) {
        return answered(() -> {
            Descriptor descriptor;
            boolean last;
            synchronized (this) {
                descriptor = descriptor(fd);
                files.remove(fd);
                descriptor.closed = true;
                last = descriptor.calls.isEmpty();
            }
            return last ? await(descriptor.file.release()) : 0;
        });
    }

    /** Ends the process: interrupts the calls under way, closes every descriptor and unmaps its memory. */
    @Override
    public void close() {
        List<Integer> all;
        synchronized (this) {
            files.values().forEach(descriptor -> descriptor.calls.forEach(Thread::interrupt));
            all = new ArrayList<>(files.keySet());
        }
        all.forEach(this::close);
        own.close();
    }

    /**
     * ioctl(2).
     *
     * @param number   the encoded request
     * @param argument a value, or the address of a structure in {@link UserMemory}
     */
    public long ioctl(int fd, int number, long argument) {
        return answered(() -> {
            Descriptor descriptor = enter(fd);
            try {
                return request(descriptor.file, number, argument);
            } finally {
                leave(descriptor);
            }
        });
    }

    private long request(OpenFile file, int number, long argument) throws InterruptedException {
        IoctlRow row = IoctlRow.of(dialect, file.kind(), number);
        if (row == null) {
            throw new GunyahError(Errno.ENOTTY, "request 0x%x".formatted(number));
        }
        ByteBuffer in = row.size == 0 ? null : Structure.of(memory.read(argument, row.size));
        return switch (row) {
            case CREATE_VM -> createVm(argument);
            case CREATE_GUEST_MEM -> createGuestMemory(in);
            case SET_DTB_CONFIG -> setDtb(vm(file), in);
            case START -> start(vm(file));
            case ADD_FUNCTION -> addFunction(vm(file), in);
            case REMOVE_FUNCTION -> await(vm(file).remove(in.getInt(0), functionArgument(in)));
            case SET_USER_MEM_REGION -> addRegion(vm(file), in, Uapi.MEM_FORCE_SHARE);
            case LEND_USER_MEM -> addRegion(vm(file), in, Uapi.MEM_FORCE_LEND);
            case MAP_MEM -> mapMemory(vm(file).vm, in);
            case SET_BOOT_CONTEXT -> setBootContext(vm(file), in);
            case RUN -> run(file);
            case MMAP_SIZE -> Uapi.RUN_PAGE_SIZE;
        };
    }

    private static SharedVm vm(OpenFile file) {
        return ((OpenFile.Vm) file).vm();
    }

    private static long run(OpenFile file) {
        ((OpenFile.Vcpu) file).vcpu().run();
        return 0;
    }

    private long createVm(long argument) {
        if (argument != 0) {
            throw new GunyahError(Errno.EINVAL, "type of VM %d".formatted(argument));
        }
        return add(new OpenFile.Vm(new SharedVm(device.createVm("uapi"))));
    }

    private long createGuestMemory(ByteBuffer in) {
        long flags = in.getLong(0);
        for (int reserved = 16; reserved < in.capacity(); reserved += Long.BYTES) {
            if (in.getLong(reserved) != 0) {
                throw new GunyahError(Errno.EINVAL, "reserved words of create_mem_args are not zero");
            }
        }
        return add(new OpenFile.Memory(device.createGuestMemory(in.getLong(8), flags),
                (flags & Uapi.GUEST_MEM_CLOEXEC) != 0));
    }

    private static long setDtb(SharedVm shared, ByteBuffer in) {
        shared.setDtb(in.getLong(0), in.getLong(8));
        return 0;
    }

    private static long start(SharedVm shared) throws InterruptedException {
        shared.enterAtPayload();
        return await(shared.vm.start());
    }

    private long addRegion(SharedVm shared, ByteBuffer in, int access) {
        int flags = in.getInt(4);
        long gpa = in.getLong(8);
        long size = in.getLong(16);
        if ((flags & ~REGION_ALLOW_RWX) != 0 || size <= 0) {
            throw new GunyahError(Errno.EINVAL, "memory region of 0x%x bytes, flags 0x%x".formatted(size, flags));
        }
        ProcessMemory.Part part = own.find(in.getLong(24), size);
        shared.addRegion(in.getInt(0), gpa, size, () ->
                shared.vm.map(part.pages(), gpa, size, part.offset(), access | flags << REGION_SHIFT));
        return 0;
    }

    private static long setBootContext(SharedVm shared, ByteBuffer in) {
        shared.vm.setBootRegister(in.getInt(0), in.getLong(8));
        return 0;
    }

    private static int functionSize(ByteBuffer in) {
        int size = in.getInt(4);
        if (Integer.compareUnsigned(size, MAX_FUNCTION_ARGUMENT) > 0) {
            throw new GunyahError(Errno.EINVAL, "function argument of %s bytes".formatted(
                    Integer.toUnsignedString(size)));
        }
        return size;
    }

    private byte[] functionArgument(ByteBuffer in) {
        int size = functionSize(in);
        return size == 0 ? new byte[0] : memory.read(in.getLong(8), size);
    }

    private long addFunction(SharedVm shared, ByteBuffer in) {
        // a size that is too large comes before an unknown type, and that before a bad address
        functionSize(in);
        int type = in.getInt(0);
        FunctionProvider provider = providers.of(type);
        return shared.add(this, type, functionArgument(in), provider);
    }

    private long mapMemory(GunyahVm vm, ByteBuffer in) {
        int flags = in.getInt(8);
        GuestMemoryFile file = guestMemory(in.getInt(12), Errno.EINVAL);
        long gpa = in.getLong(0);
        long offset = in.getLong(16);
        long size = in.getLong(24);
        if ((flags & UNMAP) != 0) {
            vm.unmap(file, gpa, size, offset, flags & ~UNMAP);
        } else {
            vm.map(file, gpa, size, offset, flags);
        }
        return 0;
    }

    /** mmap(2) of a vCPU. @throws GunyahError EBADF, EINVAL when it is something else */
    public RunPage mapRunPage(int fd) {
        if (file(fd) instanceof OpenFile.Vcpu vcpu) {
            return vcpu.vcpu().page();
        }
        throw new GunyahError(Errno.EINVAL, "descriptor %d is no vCPU".formatted(fd));
    }

    /**
     * mmap(2) of guest memory.
     *
     * @param shared MAP_SHARED; a private mapping would copy what nobody else sees
     * @throws GunyahError EINVAL for a private mapping or a bad range, EBADF, or why a lent page did not come back
     */
    public HostMapping mmap(int fd, long offset, long length, boolean shared) {
        if (!shared) {
            throw new GunyahError(Errno.EINVAL, "private mapping of guest memory");
        }
        return guestMemory(fd, Errno.EINVAL).map(offset, length);
    }

    /**
     * mmap(2) of memory of the process's own, zero at first, at an address. Unlike guest memory it can be lent while it
     * is mapped; what is lent the process does not reach.
     *
     * @throws GunyahError EINVAL unaligned or empty, EEXIST where something is mapped
     */
    public HostMapping mmapAnonymous(long address, long length) {
        return own.map(address, length);
    }

    /** munmap(2) of all that {@link #mmapAnonymous} mapped at that address; a VM that was given it keeps it. */
    public long munmap(long address) {
        return answered(() -> {
            own.unmap(address);
            return 0;
        });
    }

    /** fallocate(2) of guest memory, with the mode bits of {@link Uapi}. */
    public long fallocate(int fd, int mode, long offset, long length) {
        return answered(() -> {
            guestMemory(fd, Errno.EOPNOTSUPP).allocate(mode, offset, length);
            return 0;
        });
    }

    /** ftruncate(2) of guest memory. */
    public long ftruncate(int fd, long size) {
        return answered(() -> {
            guestMemory(fd, Errno.EINVAL).resize(size);
            return 0;
        });
    }
}
