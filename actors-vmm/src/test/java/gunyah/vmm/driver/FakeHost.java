package gunyah.vmm.driver;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import com.typesafe.config.ConfigFactory;
import gunyah.config.fdt.DtNode;
import gunyah.config.fdt.Fdt;
import gunyah.hyp.HypercallPort;
import gunyah.hyp.VcpuWork;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A booted host kernel on fakes: its one CPU runs when the test says so. */
final class FakeHost implements AutoCloseable {
    static final long RAM = 0x8000_0000L;
    static final long DTB = 0x8000_4000L;

    final FakeGunyah gunyah = new FakeGunyah();
    final FakeRm rm = new FakeRm(gunyah);
    private final ActorTestKit kit = ActorTestKit.create("fake-host", ConfigFactory.load());
    private final HostKernel kernel = new HostKernel(kit.system());
    private final VcpuWork cpu = kernel.newCpu();
    private final Context context = new Context();

    private final class Context implements VcpuWork.Context {
        @Override
        public HypercallPort port() {
            return gunyah;
        }

        @Override
        public boolean shouldYield() {
            return false;
        }

        @Override
        public void wake() {
            // The test decides when the CPU runs.
        }

        @Override
        public int index() {
            return 0;
        }
    }

    /** Boots on the real identification. */
    FakeHost() {
        this(new int[] {0xcd8fd5c1, 0xdb5f53a4, 0x36ce6592, 0x145f3d67}, 0x8001);
    }

    FakeHost(int[] uid, long apiInfo) {
        this(uid, apiInfo, FakeGunyah.RX_INTID);
    }

    /** @param rxIntid 0 for a Resource Manager node without its second interrupt */
    FakeHost(int[] uid, long apiInfo, int rxIntid) {
        gunyah.peer(rm);
        gunyah.answer(Hvc.UID_QUERY, x -> {
            for (int i = 0; i < uid.length; i++) {
                x[i] = uid[i] & 0xffff_ffffL;
            }
        });
        gunyah.answer(Hvc.IDENTIFY, x -> x[0] = apiInfo);
        byte[] tree = tree(rxIntid).toBytes();
        gunyah.write(DTB, tree, 0, tree.length);
        cpu.boot(context, 0, DTB);
    }

    private static Fdt tree(int rxIntid) {
        DtNode root = new DtNode("").cells("#address-cells", 2).cells("#size-cells", 2);
        root.add("memory@80000000").strings("device_type", "memory").cells64("reg", RAM, 32 << 20);
        root.add("cpus").cells("#address-cells", 1).cells("#size-cells", 0)
                .add("cpu@0").strings("device_type", "cpu").cells("reg", 0);
        DtNode hypervisor = root.add("hypervisor").cells("#address-cells", 2).cells("#size-cells", 0)
                .strings("compatible", "gunyah-hypervisor");
        DtNode manager = hypervisor.add("gunyah-resource-mgr@71").strings("compatible", "gunyah-resource-manager")
                .cells64("reg", FakeGunyah.TX_CAP, FakeGunyah.RX_CAP);
        if (rxIntid == 0) {
            manager.cells("interrupts", 0, FakeGunyah.TX_INTID - 32, 1);
        } else {
            manager.cells("interrupts", 0, FakeGunyah.TX_INTID - 32, 1, 0, rxIntid - 32, 1);
        }
        return new Fdt(root);
    }

    GunyahDevice device() {
        return get(kernel.device());
    }

    /** Lets the CPU run until it has nothing to do. */
    void runCpu() {
        while (cpu.run(context) == VcpuWork.Result.MORE) {
            // until it is idle
        }
    }

    /** One slice. */
    VcpuWork.Result runOnce() {
        return cpu.run(context);
    }

    /** A VM with 1 MiB lent at 0x40000000, a device tree at its end, and one vCPU. */
    GunyahVm vm() {
        GunyahVm vm = device().createVm("test");
        vm.map(device().createGuestMemory(1 << 20, 0), 0x4000_0000L, 1 << 20, 0,
                Uapi.MEM_FORCE_LEND | Uapi.MEM_ALLOW_RWX);
        vm.setDtb(0x400f_0000L, 0x10000);
        vm.setBootRegister(Uapi.REG_PC, 0x4000_0000L);
        return vm;
    }

    static <T> T get(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException known) {
                throw known;
            }
            throw new AssertionError(e.getCause());
        } catch (InterruptedException | TimeoutException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        kit.shutdownTestKit();
    }
}
