package gunyah.rm.root;

import gunyah.hyp.HypercallPort;
import gunyah.hyp.RootVmEnv;

/** What the Resource Manager has as the root VM, bundled. Belongs to its actor. */
public final class Root {
    private final RootVmEnv env;
    private final HypercallPort port;
    private final Hypercalls hypercalls;
    private final MemoryWindow window;
    private final VirqPool virqs;
    private final RmProfile profile;
    private final RmTrace trace;
    private final Journal journal;

    public Root(HypercallPort port, RootVmEnv env, RmProfile profile, RmTrace trace) {
        this.env = env;
        this.port = port;
        this.profile = profile;
        this.trace = trace;
        this.hypercalls = new Hypercalls(port, env.partitionCap(), env.cspaceCap());
        this.journal = new Journal(hypercalls);
        this.window = new MemoryWindow(hypercalls, port, journal, env.addrspaceCap(),
                Math.min(env.hlosBase(), env.rmBase()), end());
        this.virqs = new VirqPool(profile.rootVirqs());
    }

    public RootVmEnv env() {
        return env;
    }

    public HypercallPort port() {
        return port;
    }

    public Hypercalls hypercalls() {
        return hypercalls;
    }

    public MemoryWindow window() {
        return window;
    }

    /** {@return lines of the root VM's own VIC} */
    public VirqPool virqs() {
        return virqs;
    }

    public RmProfile profile() {
        return profile;
    }

    public RmTrace trace() {
        return trace;
    }

    public Journal journal() {
        return journal;
    }

    /** {@return the end of the memory that VMs can own: every extent made here spans 0 up to it} */
    public long end() {
        return Math.max(env.hlosBase() + env.hlosSize(), env.rmBase() + env.rmSize());
    }
}
