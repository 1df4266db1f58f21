package gunyah.vmm.uapi;

import gunyah.vmm.driver.Errno;
import gunyah.vmm.driver.GunyahError;
import gunyah.vmm.driver.GunyahVm;
import gunyah.vmm.driver.Uapi;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A VM, the descriptors that keep it (its own and those of its vCPUs) and the functions it was given. The VM ends with the
 * last descriptor. Thread safe.
 */
final class SharedVm {
    private record Function(int type, byte[] argument, FunctionProvider provider, FunctionProvider.Bound bound) {
        boolean isMeant(int wantedType, byte[] asked) {
            return type == wantedType && provider.isSame(argument, asked);
        }
    }

    private record Region(long gpa, long size) {
    }

    final GunyahVm vm;
    private final AtomicInteger references = new AtomicInteger(1);
    private final List<Function> functions = new ArrayList<>();
    /** Memory of its process, by label. */
    private final Map<Integer, Region> regions = new HashMap<>();
    private long dtb = -1;
    private boolean entered;

    SharedVm(GunyahVm vm) {
        this.vm = vm;
    }

    void keep() {
        references.incrementAndGet();
    }

    CompletionStage<Void> release() {
        return references.decrementAndGet() == 0 ? vm.close() : CompletableFuture.completedStage(null);
    }

    synchronized void setDtb(long gpa, long size) {
        vm.setDtb(gpa, size);
        dtb = gpa;
    }

    /** Adds what {@code map} maps. @throws GunyahError EEXIST for a label in use, or what {@code map} throws */
    synchronized void addRegion(int label, long gpa, long size, Runnable map) {
        if (regions.containsKey(label)) {
            throw new GunyahError(Errno.EEXIST, "memory region %d".formatted(label));
        }
        map.run();
        regions.put(label, new Region(gpa, size));
    }

    /** A VM of its process's memory has no boot context: its payload is where the region of its device tree begins. */
    synchronized void enterAtPayload() {
        for (Region region : regions.values()) {
            if (!entered && dtb - region.gpa >= 0 && dtb - region.gpa < region.size) {
                vm.setBootRegister(Uapi.REG_PC, region.gpa);
                entered = true;
            }
        }
    }

    /** One at a time, as the reference does under its function lock. */
    synchronized long add(GunyahFiles files, int type, byte[] argument, FunctionProvider provider) {
        FunctionProvider.Bound bound = provider.bind(files, vm, argument);
        functions.addFirst(new Function(type, argument, provider, bound));
        return bound.result();
    }

    /** Removes all that the argument means. {@return when they are unbound} @throws GunyahError ENOENT without one */
    CompletionStage<Void> remove(int type, byte[] asked) {
        List<Function> meant = new ArrayList<>();
        synchronized (this) {
            for (Iterator<Function> each = functions.iterator(); each.hasNext();) {
                Function function = each.next();
                if (function.isMeant(type, asked)) {
                    meant.add(function);
                    each.remove();
                }
            }
        }
        if (meant.isEmpty()) {
            throw new GunyahError(Errno.ENOENT, "no such function of type " + type);
        }
        CompletionStage<Void> all = CompletableFuture.completedStage(null);
        for (Function function : meant) {
            all = all.thenCompose(ignored -> vm.removeFunction(function.bound.function()));
        }
        return all;
    }
}
