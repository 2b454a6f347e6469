/* The border between Plait and its plugins: C11, no dependencies.
 *
 * A plugin is a shared library `<name>.plait.so` with one exported function, plait_plugin_v1, that returns a
 * plait_plugin: tables of types (what can be written in a pipeline file) and of implementations (how a type runs on a
 * device). Authors in C++ include <plait/sdk.hpp> instead, which fills all of this in.
 *
 * Rules of growth
 *  - Structs only ever grow at their end; struct_size is first and set by whoever makes the struct; read newer members
 *    through PLAIT_HAS. 0 or NULL means absent. Arrays of growing structs are arrays of pointers.
 *  - Until the freeze the header is a numbered draft: host and plugin must carry the same PLAIT_ABI_DRAFT.
 *  - New families arrive as new kinds or as string-named extensions (get_extension), never as changed members.
 *
 * Rules of conduct
 *  - Functions return 0, or PLAIT_FAILED after having called context->fail with a text. No exception crosses.
 *  - Strings and arrays are borrowed for the call unless a comment says "static" (lives as long as the library).
 *  - The host allocates outputs, gradients, parameters, buffers, saved tensors and workspace. Instances (`self`) are
 *    immutable after create: every other function may run on several threads at once with one self.
 *  - Thread tags: [setup] one thread, before the first step; [any] concurrent; [step] concurrent, must not allocate.
 */
#ifndef PLAIT_ABI_H
#define PLAIT_ABI_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PLAIT_ABI_MAJOR 1
#define PLAIT_ABI_MINOR 0
#define PLAIT_ABI_DRAFT 4

/* True when struct `p` was made by someone who knows member `f`, and it is set. */
#define PLAIT_HAS(p, f) ((p) != NULL && (p)->struct_size >= offsetof(__typeof__(*(p)), f) + sizeof((p)->f) && (p)->f)

#define PLAIT_MAX_RANK 8

typedef struct plait_str {
  const char* data;
  uint64_t size;
} plait_str;

enum { PLAIT_OK = 0, PLAIT_FAILED = 1 };

/* Codes for plait_context.fail. */
enum {
  PLAIT_ERROR_INVALID = 1,     /* configuration, shape or value that cannot be */
  PLAIT_ERROR_NOT_FOUND = 2,   /* a file that is not there */
  PLAIT_ERROR_IO = 3,          /* the system refused */
  PLAIT_ERROR_CORRUPT = 4,     /* a file or record that breaks its format; a source's record is replaced, see sources */
  PLAIT_ERROR_UNSUPPORTED = 5, /* understood, but not available here */
  PLAIT_ERROR_MEMORY = 6,      /* allocation refused */
  PLAIT_ERROR_NUMERIC = 7,     /* NaN, infinity */
  PLAIT_ERROR_CANCELLED = 8,   /* stopped because context->cancelled said so */
  PLAIT_ERROR_EXCEPTION = 9    /* an exception that the author did not foresee */
};

/* ---------------------------------------------------------------- tensors */

enum {
  PLAIT_F32 = 1,
  PLAIT_BF16 = 2,
  PLAIT_F16 = 3,
  PLAIT_F64 = 4,
  PLAIT_U8 = 5,
  PLAIT_I32 = 6,
  PLAIT_I64 = 7
};

/* Element type and extents without data. Activations: [N, C], [N, W, C], [N, H, W, C], [N, D, H, W, C].
 * Samples (sources, augmenters): the same without N. */
typedef struct plait_tensor_spec {
  uint32_t struct_size;
  uint32_t dtype;
  int32_t rank;
  int32_t variable_axis; /* axis whose extent differs from sample to sample (shape holds the bound), or -1 */
  int64_t shape[PLAIT_MAX_RANK];
  const char* name; /* the part's or port's name, or NULL */
  /* A second axis whose extent differs (the width of images of any size), after variable_axis; 0: none. Only types that
   * say PLAIT_TYPE_TWO_AXES are given such tensors. */
  int32_t second_axis;
  int32_t reserved;
} plait_tensor_spec;

/* Borrowed view of dense memory, last axis fastest. */
typedef struct plait_tensor {
  uint32_t struct_size;
  uint32_t dtype;
  int32_t rank;
  int32_t variable_axis;  /* see plait_tensor_spec */
  const int64_t* shape;   /* rank extents */
  void* data;             /* device memory of the implementation's device */
  const int32_t* lengths; /* host memory, [shape[0]] valid extents along variable_axis; NULL: all are full */
  const char* name;
  const int32_t* second_lengths; /* the same along second_axis */
  int32_t second_axis;           /* see plait_tensor_spec */
  int32_t reserved;
} plait_tensor;

/* ---------------------------------------------------------------- configuration */

enum {
  PLAIT_FIELD_BOOL = 1,
  PLAIT_FIELD_I64 = 2,
  PLAIT_FIELD_F64 = 3,
  PLAIT_FIELD_STRING = 4,
  PLAIT_FIELD_ENUM = 5,    /* one of enum_names; read as a string */
  PLAIT_FIELD_MESSAGE = 6, /* nested fields */
  PLAIT_FIELD_CHILD = 7    /* a plugin of kind child_kind, with its own fields */
};

enum {
  PLAIT_FIELD_REPEATED = 1,
  PLAIT_FIELD_REQUIRED = 2,
  PLAIT_FIELD_RUNTIME = 4, /* a schedule may change it from step to step (optimizers) */
  PLAIT_FIELD_LOW_OPEN = 8,
  PLAIT_FIELD_HIGH_OPEN = 16,
  PLAIT_FIELD_DEPRECATED = 32,
  PLAIT_FIELD_PATH = 64, /* file or folder; plugins get it absolute: relative to the file (or command) that wrote it */
  PLAIT_FIELD_STAGE = 128 /* a STRING, a stage of the file, "" none: see plait_stage_output. For augmenters and tasks */
};

/* One field of a type's configuration. Static. */
typedef struct plait_field {
  uint32_t struct_size;
  uint32_t kind;
  uint32_t flags;
  uint32_t n_enum_names;
  const char* name;         /* snake_case */
  const char* doc;          /* one line */
  const char* unit;         /* "px", "ms", ... or NULL */
  const char* default_text; /* as written in a file (lists: "1, 1"); NULL: no default */
  double low, high;         /* for I64 and F64; -INFINITY and INFINITY: no bound */
  const char* const* enum_names;
  const char* child_kind;
  const struct plait_field* const* fields; /* of a MESSAGE */
  uint32_t n_fields;
  uint32_t since_minor;
} plait_field;

/* A checked configuration: every field has a value or its default. Opaque; read through plait_host. */
typedef struct plait_config plait_config;

/* A child plugin in a configuration (an augmenter in a container, say). Made before its parent and
 * destroyed after it. ops is the table of its kind. */
typedef struct plait_child {
  uint32_t struct_size;
  uint32_t reserved;
  const char* kind;
  const char* id;
  const void* ops;
  const void* rules;
  void* self;
  const plait_config* config;
  uint32_t flags; /* PLAIT_TYPE_* of its type */
  uint32_t reserved_2;
} plait_child;

/* A value that one plugin writes for a field of another. */
typedef struct plait_setting {
  uint32_t struct_size;
  uint32_t kind;    /* PLAIT_FIELD_BOOL, _I64, _F64, or _STRING (an ENUM's names too) */
  const char* name; /* the field; several settings of one name: a list */
  int64_t i64;      /* BOOL: 0 or 1 */
  double f64;
  plait_str string;
} plait_setting;

/* A plugin that another one writes into a network: a type with the fields that are not left at their defaults; or, in
 * place of both, a child of the writer's own configuration. */
typedef struct plait_block {
  uint32_t struct_size;
  uint32_t n_settings;
  const char* type_id; /* "vendor.name" */
  const plait_setting* const* settings;
  const plait_child* child; /* NULL: type_id and settings */
} plait_block;

/* What the stage that a field names has made: arrays by name, in host memory. validate gets none. infer may be called
 * before the stage has run: then data is NULL, and the first extent of rows that nobody has counted yet is -1. create
 * and fit_size are called when the values are there. Everything stays as it is for as long as an instance lives. */
typedef struct plait_stage_output {
  uint32_t struct_size;
  uint32_t n_arrays;
  const plait_tensor* const* arrays;
} plait_stage_output;

/* What the host offers. Given to plait_plugin_v1, static. Threads: [any]. */
typedef struct plait_host {
  uint32_t struct_size;
  uint32_t abi_minor;
  uint32_t abi_draft;
  uint32_t reserved;
  const char* version;
  /* Number of values of a field: 1 for a singular field that is set or has a default, 0 for one that is absent,
   * the length of a list. */
  uint32_t (*config_count)(const plait_config* config, const char* field);
  /* Value `index` of a field; PLAIT_FAILED when there is none or it is of another kind. */
  int (*config_bool)(const plait_config* config, const char* field, uint32_t index, int32_t* value);
  int (*config_i64)(const plait_config* config, const char* field, uint32_t index, int64_t* value);
  int (*config_f64)(const plait_config* config, const char* field, uint32_t index, double* value);
  int (*config_string)(const plait_config* config, const char* field, uint32_t index, plait_str* value);
  /* A nested message; lives as long as config. */
  const plait_config* (*config_message)(const plait_config* config, const char* field, uint32_t index);
  /* A child plugin, created; lives as long as config. NULL during describe-only calls (infer has no instances). */
  const plait_child* (*config_child)(const plait_config* config, const char* field, uint32_t index);
  /* A named extension of the host, or NULL. */
  const void* (*get_extension)(const char* name);
  /* Of a PLAIT_FIELD_STAGE; lives as long as config. NULL where no stage is named, or none is known yet. */
  const plait_stage_output* (*config_stage)(const plait_config* config, const char* field, uint32_t index);
} plait_host;

/* What comes with a call. Threads: the call's. */
typedef struct plait_context {
  uint32_t struct_size;
  int32_t lanes; /* threads this call may use, from the pipeline file */
  const plait_host* host;
  void* host_data;
  /* Says why the function is about to return PLAIT_FAILED. The first text of a call is kept. */
  void (*fail)(struct plait_context* context, int32_t code, plait_str text);
  /* Runs body(user, begin, end) over [0, count) cut into pieces of `grain` (the last may be shorter), on up to `lanes`
   * threads. The pieces depend on count and grain only. A body that fails returns PLAIT_FAILED: pieces that have not
   * begun are skipped and parallel_for returns PLAIT_FAILED. Exceptions must not leave body. */
  int (*parallel_for)(struct plait_context* context, uint64_t count, uint64_t grain,
                      int (*body)(void* user, uint64_t begin, uint64_t end), void* user);
  /* Nonzero when the work is no longer wanted: long calls ask now and then and fail with PLAIT_ERROR_CANCELLED. */
  int32_t (*cancelled)(struct plait_context* context);
  void (*log)(struct plait_context* context, int32_t level, plait_str text); /* 0 debug, 1 info, 2 warning */
  /* What the host knows by this name, else the device that the call runs on. */
  const void* (*get_extension)(struct plait_context* context, const char* name);
  void* device; /* self of the device plugin that the call runs on, NULL where a kind has none */
  void* stream; /* its stream; work is ordered on it */
} plait_context;

/* Random numbers are counter-based: Philox 4x32-10 with this 64-bit key and the upper 64 bits of its counter, both made
 * by the host from (seed, purpose, operator) and (epoch and sample, or step). The lower 64 bits of the counter are the
 * plugin's. */
typedef struct plait_rng {
  uint64_t key;
  uint64_t counter_high;
} plait_rng;

/* ---------------------------------------------------------------- types, implementations, plugin */

/* What can be written in a pipeline file. Static. */
typedef struct plait_type {
  uint32_t struct_size;
  uint32_t n_fields;
  const char* kind;    /* one of <plait/kinds.h>: "layer", "loss", ... */
  const char* id;      /* "vendor.name", unique among the types of its kind; "plait.name" may be written as name */
  const char* doc;     /* one line */
  const char* details; /* formula, shapes, source; several lines; or NULL */
  const plait_field* const* fields;
  const void* rules;   /* device-independent part of the kind: plait_layer_rules, ...; NULL where a kind has none */
  /* Checks what no single field can say. Optional. Threads: [any] */
  int (*validate)(plait_context* context, const plait_config* config);
  uint32_t flags; /* PLAIT_TYPE_* */
  uint32_t reserved;
} plait_type;

enum {
  /* Taken where a file writes no plugin of this kind (reducer, device). Two defaults found: the file must choose. */
  PLAIT_TYPE_DEFAULT_OF_KIND = 1,
  /* A device that is taken before the default where a file leaves the choice to the host. Several: by id. */
  PLAIT_TYPE_PREFERRED = 2,
  /* No device itself: it stands for the first preferred one that opens here, else for the default. */
  PLAIT_TYPE_FIRST_FOUND = 4,
  /* Honours valid extents along one axis and along two. A layer that says so may count on zeros past them, in its
   * inputs and in the gradients of its outputs, and may itself write there what it likes. */
  PLAIT_TYPE_TWO_AXES = 8
};

/* Device id of implementations that run on the host's processor and memory. Kinds without a device of their own
 * (schedules, sources, reducers, sinks, pretrainers, devices) are registered under it too. Metrics and augmenters have
 * an implementation under it, and may have one for a device besides, which the host then takes in its place. */
#define PLAIT_HOST_DEVICE "host"

/* How a type runs on a device. Static. */
typedef struct plait_implementation {
  uint32_t struct_size;
  uint32_t reserved;
  const char* type_id;
  const char* device_id; /* PLAIT_HOST_DEVICE, or the id of a device with memory of its own */
  const void* ops;       /* plait_layer_ops, ... according to the type's kind */
  /* Of the type. NULL: the kind of the library's type of this id, or of the one type of this id; where types of several
   * kinds have it, the library is refused. */
  const char* kind;
} plait_implementation;

typedef struct plait_plugin {
  uint32_t struct_size;
  uint32_t abi_minor;      /* of the header it was built with */
  uint32_t abi_draft;      /* PLAIT_ABI_DRAFT it was built with; 0 after the freeze */
  uint32_t min_host_minor; /* needs at least this host */
  const char* id;          /* of the library */
  const char* version;
  const char* license;
  const char* built_with;  /* compiler, for people */
  uint32_t n_types;
  uint32_t n_implementations;
  const plait_type* const* types;
  const plait_implementation* const* implementations;
  const void* (*get_extension)(const char* name);
} plait_plugin;

/* The one exported symbol. NULL: the plugin refuses the host. Called once. Threads: [setup] */
typedef const plait_plugin* (*plait_plugin_v1_fn)(const plait_host* host);
#define PLAIT_PLUGIN_SYMBOL "plait_plugin_v1"

/* ---------------------------------------------------------------- layers */

/* How copies of a value are combined at the end of a round. */
enum {
  PLAIT_REDUCE_MEAN32 = 1, /* weighted; error at most 2^-23 of the largest magnitude of any shard, by element */
  PLAIT_REDUCE_MEAN64 = 2, /* the same */
  PLAIT_REDUCE_MAX = 3,
  PLAIT_REDUCE_RESET = 4,  /* every round begins with the initial value */
  PLAIT_REDUCE_NONE = 5,   /* constant */
  /* Centred variance about the mean in the buffer declared just before it, of the same shape: the mean over shards of
   * variance + (shard's mean - mean of the means)^2. */
  PLAIT_REDUCE_VARIANCE = 6
};

enum { PLAIT_PARAMETER_NO_DECAY = 1 /* a bias or a scale: weight decay leaves it alone */ };

typedef struct plait_parameter_spec {
  uint32_t struct_size;
  uint32_t flags;
  const char* name; /* "weight", "bias", ... */
  int32_t rank;
  uint32_t reduce;
  int64_t shape[PLAIT_MAX_RANK]; /* plain order, as files hold it */
  /* Initial values, drawn by the host: "zeros", "ones", "constant" (a), "uniform" (a..b), "normal" (mean a, deviation
   * b), "he_normal", "he_uniform", "glorot_normal", "glorot_uniform", "lecun_normal", "lecun_uniform" (need fans),
   * "torch_uniform" (+-1/sqrt(fan_in)), "truncated_normal" (as normal, cut at 2 b), "orthogonal" (gain a; 0: 1). */
  const char* init;
  double init_a, init_b;
  double fan_in, fan_out;
} plait_parameter_spec;

/* Accepted by a layer that can absorb every epilogue that brings its functions. */
#define PLAIT_EPILOGUE_FUNCTIONS "*"
enum { PLAIT_EPILOGUE_WORDS = 8 };

/* A function applied elementwise to a layer's output inside its kernel. y = f(x) whose derivative follows from y:
 * "relu" (alpha: slope below zero), "tanh", "sigmoid", "linear" (alpha x + beta). Or one of another name, which brings
 * its functions: static ones, that compute an element from it and from what is in this struct, the same bits wherever
 * it lies among `count` others. They fail at nothing and look at no other memory. Threads: [any] */
typedef struct plait_epilogue {
  uint32_t struct_size;
  uint32_t reserved;
  const char* name;
  double alpha, beta;
  /* y = f(x). Host memory, f32 [count] each; y may be x. NULL: f is what the name says */
  void (*forward)(const struct plait_epilogue* self, const float* x, float* y, uint64_t count);
  /* dx = f'(x) dy, of y = f(x); dx may be dy. */
  void (*backward)(const struct plait_epilogue* self, const float* y, const float* dy, float* dx, uint64_t count);
  uint64_t data[PLAIT_EPILOGUE_WORDS]; /* of the functions' own; copied with the rest */
} plait_epilogue;

/* How a layer is called. */
enum {
  PLAIT_EVALUATION = 0, /* no randomness, buffers unchanged; backward is never called */
  PLAIT_TRAINING = 1,
  /* Of layers that say so (plait_layer_builder): forward as in training, but every buffer becomes what this batch alone
   * says, whatever was in it. Backward is never called. */
  PLAIT_MEASURING = 2
};

/* What the numbers of an input were seen to be between, zero included: low <= 0 <= high, finite. */
typedef struct plait_range {
  uint32_t struct_size;
  uint32_t reserved;
  double low, high;
} plait_range;

/* Where a layer is. */
typedef struct plait_layer_request {
  uint32_t struct_size;
  uint32_t n_inputs;
  const plait_config* config;
  const plait_tensor_spec* const* inputs;
  /* From here on for create only. */
  const uint8_t* input_gradient_needed; /* per input */
  uint32_t n_epilogues;                 /* absorbed functions: forward applies them, backward undoes them first */
  uint32_t training;                    /* PLAIT_EVALUATION ...: as in each forward call */
  const plait_epilogue* const* epilogues;
  uint32_t parameters_frozen;           /* gradients of parameters are not needed */
  uint32_t n_outputs;
  const plait_tensor_spec* const* outputs; /* as inferred, at this plan's concrete extents */
  /* Evaluation only, per input; NULL: none. Computes from those on 8-bit integers, and says takes_int8 of each. 0 and a
   * range's ends are exact, what is beyond becomes an end; forward fails with PLAIT_ERROR_NUMERIC for NaN, infinity. */
  const plait_range* const* int8_ranges;
} plait_layer_request;

/* How far a sample reaches along a variable axis of an output, in elements: floor((multiply e + add) / divide), from 0
 * to the output's extent, where e is the sample's extent along a variable axis of an input; 0 where e is 0. Of the
 * input's own extent it must make the output's. */
typedef struct plait_extent_rule {
  uint32_t struct_size;
  uint32_t output;   /* number of the output, declared before */
  int32_t axis;      /* of the output: its variable_axis or second_axis */
  int32_t input_axis;
  uint32_t input;
  uint32_t reserved;
  int64_t multiply, add, divide; /* multiply, divide: 1 to 2^20; add: -2^40 to 2^40 */
} plait_extent_rule;

/* Answers of infer. The host's functions; return PLAIT_FAILED when an answer is not acceptable. */
typedef struct plait_layer_builder {
  uint32_t struct_size;
  uint32_t reserved;
  void* host_data;
  int (*output)(const struct plait_layer_builder* builder, const plait_tensor_spec* spec);
  int (*parameter)(const struct plait_layer_builder* builder, const plait_parameter_spec* spec);
  /* State that training changes without gradients (running statistics); same spec. */
  int (*buffer)(const struct plait_layer_builder* builder, const plait_parameter_spec* spec);
  void (*multiply_adds)(const struct plait_layer_builder* builder, double count); /* of one forward call */
  /* This layer is nothing but the epilogue given, and may be absorbed by the layer before it. */
  void (*is_epilogue)(const struct plait_layer_builder* builder, const plait_epilogue* epilogue);
  /* This layer can absorb epilogues of that name, or PLAIT_EPILOGUE_FUNCTIONS (at most one epilogue). */
  void (*accepts_epilogue)(const struct plait_layer_builder* builder, const char* name);
  /* Output 0 may share memory with input 0, forward and backward (dx with dy). */
  void (*in_place)(const struct plait_layer_builder* builder);
  /* Input `input` holds whole numbers, low <= x < high (rows of a table, class numbers). The host refuses a batch with
   * others before the layer sees it. */
  int (*input_range)(const struct plait_layer_builder* builder, uint32_t input, int64_t low, int64_t high);
  /* For pretrainers: a layer that leads from something of output 0's shape back to as many elements as input 0 has (a
   * decoder for this encoder). At most one. */
  int (*mirror)(const struct plait_layer_builder* builder, const plait_block* block);
  /* Output 0 is a function of input 0, element by element and the same in training and evaluation: an activation. A
   * layer that says is_epilogue need not say it. */
  void (*activation)(const struct plait_layer_builder* builder);
  /* Without a rule samples reach as far along a variable axis of an output as along the same axis of the first input
   * that has it with this extent, else along the first variable axis of this extent. */
  int (*extent)(const struct plait_layer_builder* builder, const plait_extent_rule* rule);
  /* Its buffers tell of batches, and can be measured anew for weights that do not change: it knows PLAIT_MEASURING. */
  void (*measures)(const struct plait_layer_builder* builder);
} plait_layer_builder;

/* How layers of a type disturb what they read, in training alone and unscaled: for pretrainers that restore it. */
typedef struct plait_corruption {
  uint32_t struct_size;
  uint32_t n_settings;
  const char* noise;  /* "masking": a share `amount` of the elements is set to 0; "gaussian": of deviation `amount` */
  const char* amount; /* the F64 field that takes the amount */
  const plait_setting* const* settings; /* of other fields */
} plait_corruption;

enum { PLAIT_PORT_REPEATED = 1 /* any number of them; the last of a list */ };

/* What has a place in an order (an input, a parameter), for people. Static. */
typedef struct plait_port {
  uint32_t struct_size;
  uint32_t flags;    /* PLAIT_PORT_* */
  const char* name;  /* "x", "mask"; of parameters and buffers the one that infer gives */
  const char* doc;   /* one line, or NULL */
  const char* shape; /* "[N, H, W, C]", or NULL */
  const char* unit;  /* of the values, "px", or NULL */
} plait_port;

typedef struct plait_ports {
  uint32_t struct_size;
  uint32_t count;
  const plait_port* const* ports;
} plait_ports;

/* Device-independent part of a layer. */
typedef struct plait_layer_rules {
  uint32_t struct_size;
  uint32_t min_inputs;
  uint32_t max_inputs; /* UINT32_MAX: any number */
  uint32_t reserved;
  /* Shapes of outputs, parameters and buffers; pure. Fails with PLAIT_ERROR_INVALID when the inputs do not fit.
   * Threads: [any] */
  int (*infer)(plait_context* context, const plait_layer_request* request, const plait_layer_builder* builder);
  const plait_corruption* corruption; /* NULL: none. Static */
  /* Optional, what is where. Of parameters and buffers all that a configuration may have, in their order: infer may
   * leave some out. Static */
  const plait_ports* input_ports;
  const plait_ports* output_ports;
  const plait_ports* parameter_ports;
  const plait_ports* buffer_ports;
} plait_layer_rules;

/* What backward reads besides output gradients, parameters and saved memory: the host keeps it alive. */
enum { PLAIT_READS_INPUTS = 1, PLAIT_READS_OUTPUTS = 2 };

/* Answers of create. */
typedef struct plait_layer_needs {
  uint32_t struct_size;
  uint32_t reserved;
  void* host_data;
  /* From forward to backward; one block. Each forward finds any content in it; backward, called once, may change it. */
  void (*saved)(const struct plait_layer_needs* needs, uint64_t bytes);
  void (*workspace)(const struct plait_layer_needs* needs, uint64_t bytes); /* during one call; one block */
  void (*prepared)(const struct plait_layer_needs* needs, uint64_t bytes);  /* filled by prepare; one block */
  /* Elements of f32 that parameter `index` takes in this layer's own order; default: the plain count. Padding must be
   * written as zeros by pack, and receives zero gradients. Needs pack and unpack. */
  void (*stored_elements)(const struct plait_layer_needs* needs, uint32_t index, uint64_t elements);
  void (*backward_reads)(const struct plait_layer_needs* needs, uint32_t reads); /* default: both */
  /* backward can add to input gradients; otherwise the host adds. */
  void (*accumulates)(const struct plait_layer_needs* needs);
  /* Forward and backward queue the same work whenever the call has the same addresses, lengths and flags: they look at
   * neither step nor rng, and wait for nothing. A device that records work may then do it again without a call. */
  void (*repeats)(const struct plait_layer_needs* needs);
  /* In evaluation: made with a range of input `input` (f32), it computes on 8-bit integers, as a rule faster than in
   * f32. Said or not whatever the batch and the lanes. Without a range as if it had said nothing. */
  void (*takes_int8)(const struct plait_layer_needs* needs, uint32_t input);
} plait_layer_needs;

/* Memory of one call; every pointer is 64-byte aligned device memory. */
typedef struct plait_layer_call {
  uint32_t struct_size;
  uint32_t training; /* PLAIT_EVALUATION ... */
  const plait_tensor* const* inputs;
  const plait_tensor* const* outputs;
  const plait_tensor* const* output_gradients; /* backward only */
  const plait_tensor* const* input_gradients;  /* backward only; NULL entries are not needed */
  float* const* parameters;                    /* stored order */
  float* const* parameter_gradients;           /* backward only, overwritten; NULL entries are not needed */
  float* const* buffers;
  void* saved;
  void* workspace;
  void* prepared;
  const uint8_t* accumulate; /* per input: add to input_gradients[i] (only after needs->accumulates); NULL: overwrite */
  int64_t step;              /* number of the training step, 0-based */
  plait_rng rng;             /* same in forward and backward of one step */
} plait_layer_call;

typedef struct plait_layer_ops {
  uint32_t struct_size;
  uint32_t reserved;
  /* An instance for concrete extents; create primitives here. Threads: [setup], inside the lanes' arena */
  int (*create)(plait_context* context, const plait_layer_request* request, const plait_layer_needs* needs,
                void** self);
  void (*destroy)(void* self);
  /* Threads: [step] */
  int (*forward)(const void* self, plait_context* context, const plait_layer_call* call);
  int (*backward)(const void* self, plait_context* context, const plait_layer_call* call);
  /* Optional: after each change of the parameters (shadow weights, a second layout). Threads: [step] */
  int (*prepare)(const void* self, plait_context* context, const plait_layer_call* call);
  /* Optional, both or none: plain order to stored order and back, host memory. Threads: [any] */
  int (*pack)(const void* self, plait_context* context, uint32_t index, const float* plain, float* stored);
  int (*unpack)(const void* self, plait_context* context, uint32_t index, const float* stored, float* plain);
} plait_layer_ops;

/* ---------------------------------------------------------------- losses */

typedef struct plait_loss_request {
  uint32_t struct_size;
  uint32_t training;
  const plait_config* config;
  const plait_tensor_spec* prediction; /* [N, ...]; the first */
  const plait_tensor_spec* target;     /* [N, ...]; the first, NULL: none */
  uint64_t workspace_bytes;            /* answer of create */
  uint32_t n_predictions;
  uint32_t n_targets;
  const plait_tensor_spec* const* predictions; /* all, in the order of the file; N is the same */
  const plait_tensor_spec* const* targets;
  const plait_tensor_spec* weights; /* [N] f32: the file names a weight for each sample; NULL: none */
  uint32_t repeats; /* answer of create: as plait_layer_needs.repeats */
  uint32_t reserved;
} plait_loss_request;

typedef struct plait_loss_call {
  uint32_t struct_size;
  uint32_t reserved;
  const plait_tensor* prediction;
  const plait_tensor* target;
  const plait_tensor* prediction_gradient; /* of the mean; NULL when not needed */
  double* result;   /* device memory, [2]: sum of the samples' losses, number of samples (or valid elements) */
  void* workspace;
  /* Device memory, [1]; -1, or the smallest place in the batch whose target is not acceptable. */
  int32_t* bad_target;
  double gradient_scale; /* factor of prediction_gradient: the loss's weight in the job */
  uint32_t n_predictions;
  uint32_t n_targets;
  const plait_tensor* const* predictions;
  const plait_tensor* const* targets;
  const plait_tensor* const* prediction_gradients; /* of each prediction; NULL entries are not needed */
  /* [N] f32, finite and not negative; NULL: all are 1. result is then the sum of weight * loss, and of the weights (of
   * each valid element its sample's); the gradients are those of their quotient. Where the sum of weights is 0, so are
   * they. A sample of weight 0 counts for nothing, whatever its predictions and targets are. */
  const plait_tensor* weights;
} plait_loss_call;

enum { PLAIT_LOSS_WEIGHTS = 1 /* takes a weight for each sample */ };

typedef struct plait_loss_rules {
  uint32_t struct_size;
  uint32_t reserved;
  int (*check)(plait_context* context, const plait_loss_request* request); /* shapes fit? pure. [any] */
  uint32_t flags; /* PLAIT_LOSS_* */
  uint32_t reserved_flags;
  /* How many of each a file may name; max_predictions 0: one prediction and one target. */
  uint32_t min_predictions, max_predictions;
  uint32_t min_targets, max_targets;
  const plait_ports* prediction_ports; /* optional, as of layers. Static */
  const plait_ports* target_ports;
} plait_loss_rules;

typedef struct plait_loss_ops {
  uint32_t struct_size;
  uint32_t reserved;
  int (*create)(plait_context* context, plait_loss_request* request, void** self); /* [setup] */
  void (*destroy)(void* self);
  int (*compute)(const void* self, plait_context* context, const plait_loss_call* call); /* [step] */
} plait_loss_ops;

/* ---------------------------------------------------------------- metrics: host memory, mergeable states
 *
 * An implementation for a device besides: create, update and destroy alone are called, on the same state. Predictions,
 * targets and the state (8-byte aligned) are the device's memory, update queues its work on context->stream, and
 * context->device is there in create too. The host waits, and gives the sums to finish of the host's implementation.
 * Not of metrics that keep rows. */

typedef struct plait_metric_value {
  uint32_t struct_size;
  uint32_t higher_is_better;
  const char* name; /* static; unique within a job, e.g. "accuracy" */
  const char* doc;
} plait_metric_value;

/* Where a metric is. */
typedef struct plait_metric_request {
  uint32_t struct_size;
  uint32_t n_classes; /* of the source; 0: unknown */
  const plait_config* config;
  const plait_tensor_spec* prediction;
  const plait_tensor_spec* target;
  const char* const* class_names; /* n_classes, or NULL */
} plait_metric_request;

typedef struct plait_metric_builder {
  uint32_t struct_size;
  uint32_t reserved;
  void* host_data;
  /* name, doc: for the call. Names have letters, digits, "_", "-" and "."; the host refuses one twice. */
  int (*value)(const struct plait_metric_builder* builder, const plait_metric_value* value);
} plait_metric_builder;

/* Takes rows of numbers, one or more at a time. PLAIT_FAILED: no memory is left for them; whoever appends fails. */
typedef struct plait_number_rows {
  uint32_t struct_size;
  uint32_t reserved;
  void* host_data;
  int (*append)(const struct plait_number_rows* rows, int64_t count, const double* numbers);
} plait_number_rows;

typedef struct plait_metric_ops {
  uint32_t struct_size;
  uint32_t n_values;
  const plait_metric_value* const* values;
  int (*create)(plait_context* context, const plait_config* config, const plait_tensor_spec* prediction,
                const plait_tensor_spec* target, uint32_t* state_size, void** self); /* [setup]; state in f64s */
  void (*destroy)(void* self);
  /* Adds a batch to a state that began as zeros. States of blocks are merged by addition, in block order. [step] */
  int (*update)(const void* self, plait_context* context, const plait_tensor* prediction, const plait_tensor* target,
                double* state);
  int (*finish)(const void* self, plait_context* context, const double* state, double* values); /* [any] */
  /* Optional: what the configuration adds to the names of its values ("_top5"), so that two metrics of a type are told
   * apart in reports: letters, digits and "_", at most capacity - 1 bytes and a 0; "" adds nothing. [any] */
  int (*suffix)(plait_context* context, const plait_config* config, char* text, uint64_t capacity);
  /* Optional, in place of values, n_values and suffix: values that configuration, shapes and classes decide, one a
   * class say. Pure; 1 to 4096 values. [any] */
  int (*describe)(plait_context* context, const plait_metric_request* request, const plait_metric_builder* builder);
  /* Optional, all three or none, for what no sum can say (an area under a curve): rows of row_size numbers, kept by the
   * host in the order of the records, whatever the blocks, and given to finish_rows whole, in place of finish. update
   * is called too where state_size is not 0. row_size: 1 to 65536. [any], [step], [any] */
  int (*row_size)(const void* self, plait_context* context, uint32_t* numbers);
  int (*update_rows)(const void* self, plait_context* context, const plait_tensor* prediction,
                     const plait_tensor* target, const plait_number_rows* rows);
  int (*finish_rows)(const void* self, plait_context* context, const double* state, int64_t count, const double* rows,
                     double* values);
} plait_metric_ops;

/* ---------------------------------------------------------------- optimizers */

enum {
  PLAIT_OPTIMIZER_ELEMENTWISE = 1,        /* every element by itself: the host may cut and join tensors freely */
  PLAIT_OPTIMIZER_NEEDS_ALL_GRADIENTS = 2, /* has observe: a pass over all gradients before the first step call */
  PLAIT_OPTIMIZER_PLAIN = 4 /* every call has one whole parameter, in plain order, without padding */
};

typedef struct plait_slot_spec {
  uint32_t struct_size;
  uint32_t reduce;
  const char* name;
  double initial;
} plait_slot_spec;

typedef struct plait_optimizer_builder {
  uint32_t struct_size;
  uint32_t reserved;
  void* host_data;
  int (*slot)(const struct plait_optimizer_builder* builder, const plait_slot_spec* spec);
} plait_optimizer_builder;

/* Law: with w = 0, g = 0 and slots at their initial values, step leaves w = 0 (padding stays zero). */
typedef struct plait_optimizer_call {
  uint32_t struct_size;
  uint32_t flags;  /* of the parameter: PLAIT_PARAMETER_* */
  uint64_t count;  /* elements */
  float* weights;
  const float* gradients;
  float* const* slots; /* in the order of declaration */
  int64_t step;        /* 0-based number of this update; the host's, never a slot */
  const double* runtime; /* values at this step of the fields marked PLAIT_FIELD_RUNTIME, in field order */
  double observed;     /* result of observe, else 0 */
  int64_t updates;     /* since the slots had their initial values: step, or the step within the round where the job
                          begins every round with new slots (inner_state: reset); t = updates + 1 in Adam's equations */
  const char* name;     /* of the parameter, "c1.weight"; NULL where elements of several were joined */
  const int64_t* shape; /* its plain extents, `rank` of them; NULL where name is */
  int32_t rank;
  int32_t is_plain;     /* 1: all its elements, in plain order; 0: in the layer's own order, or some of them */
  double loss;          /* of this step's batch, the mean that is trained on; NaN: none (an outer optimizer's) */
  int32_t is_second;    /* 1: the gradients are those at the weights to which `move` had moved */
  int32_t reserved;
} plait_optimizer_call;

typedef struct plait_optimizer_rules {
  uint32_t struct_size;
  uint32_t flags; /* PLAIT_OPTIMIZER_* */
  int (*describe)(plait_context* context, const plait_config* config, const plait_optimizer_builder* builder);
} plait_optimizer_rules;

typedef struct plait_optimizer_ops {
  uint32_t struct_size;
  uint32_t reserved;
  int (*create)(plait_context* context, const plait_config* config, void** self); /* [setup] */
  void (*destroy)(void* self);
  int (*step)(const void* self, plait_context* context, const plait_optimizer_call* call); /* [step] */
  /* Optional: adds this tensor's share to *sum (called in tensor order). [step] */
  int (*observe)(const void* self, plait_context* context, const plait_optimizer_call* call, double* sum);
  /* Optional: changes the weights to those at which a second gradient is wanted (sharpness-aware minimization). The
   * host runs the step's batch again there, with the same random numbers, puts weights and layers' buffers back as they
   * were before, observes anew, and calls step with those gradients. Slots are read only. Not of an outer optimizer,
   * nor where gradients are summed over shards (sync: gradients). [step] */
  int (*move)(const void* self, plait_context* context, const plait_optimizer_call* call);
} plait_optimizer_ops;

/* ---------------------------------------------------------------- schedules */

/* A value of a validation that was made. */
typedef struct plait_evaluation {
  uint32_t struct_size;
  uint32_t higher_is_better;
  const char* name; /* "loss", "accuracy", ... as reports have it */
  int64_t step;     /* that had been made then: after `step` steps */
  double value;
} plait_evaluation;

typedef struct plait_schedule_call {
  uint32_t struct_size;
  uint32_t reserved;
  double base;            /* the value in the file */
  int64_t step;           /* 0-based */
  int64_t total_steps;    /* of the stage */
  double steps_per_epoch; /* may be a fraction */
  /* Of all validations of this stage before the round in which the step lies, oldest first. */
  uint32_t n_evaluations;
  uint32_t reserved_evaluations;
  const plait_evaluation* const* evaluations;
} plait_schedule_call;

typedef struct plait_schedule_ops {
  uint32_t struct_size;
  uint32_t reserved;
  int (*create)(plait_context* context, const plait_config* config, void** self); /* [setup] */
  void (*destroy)(void* self);
  int (*value)(const void* self, plait_context* context, const plait_schedule_call* call, double* value); /* [any] */
  /* Optional: nonzero when values do not depend on total_steps, so that a finished run may be prolonged. [any] */
  int32_t (*ignores_total)(const void* self);
  /* Optional: the name of the value of validations that it looks at; "": the one that picks the best weights (the job's
   * monitor); NULL: none. The host refuses a job that has no such value. Lives as long as self. [any] */
  const char* (*monitor)(const void* self);
  /* Optional: sets *stop to 1 where training should end before this step (early stopping). Asked at the first step of a
   * round; a schedule that has it may go without a field. [any] */
  int (*stop)(const void* self, plait_context* context, const plait_schedule_call* call, int32_t* stop);
} plait_schedule_ops;

/* ---------------------------------------------------------------- sources and augmenters: samples are named parts */

typedef struct plait_parts_builder {
  uint32_t struct_size;
  uint32_t reserved;
  void* host_data;
  int (*part)(const struct plait_parts_builder* builder, const plait_tensor_spec* spec); /* named, without N */
} plait_parts_builder;

typedef struct plait_source_info {
  uint32_t struct_size;
  uint32_t random_access; /* 0: records come in order; read asks for ascending indices within a block */
  int64_t count;          /* records; -1: unknown, see count_up_to */
  int64_t block;          /* records that are shuffled together when access is not random; 0 otherwise */
  uint32_t n_classes;     /* 0: unknown */
  uint32_t blocking;      /* read may wait for a disk or a network */
  const char* const* class_names; /* n_classes names or NULL; live as long as self */
} plait_source_info;

/* Parts of one sample. In a source's read and an augmenter's outputs the host gives memory for the bound in the spec;
 * for a variable axis the callee sets lengths_out[part] to the extent used (NULL when no part is variable). */
typedef struct plait_sample_call {
  uint32_t struct_size;
  uint32_t n_inputs;
  const plait_tensor* const* inputs; /* augmenters */
  const plait_tensor* const* outputs;
  int32_t* lengths_out;
  uint32_t n_outputs;
  uint32_t training;
  plait_rng rng; /* of (seed, epoch, sample, operator) */
  void* workspace; /* augmenters: as many bytes as they said; NULL: none */
  int32_t* second_lengths_out; /* as lengths_out, for second_axis */
  /* apply_samples alone. */
  const plait_rng* rngs; /* [N], of each sample; memory of the device */
  uint8_t* written;      /* [n_outputs], zeros: 1 says that the output was written; the host passes others on */
} plait_sample_call;

typedef struct plait_source_ops {
  uint32_t struct_size;
  uint32_t reserved;
  /* Opens and checks files. Fails with NOT_FOUND, IO, CORRUPT naming the file, got and wanted. [setup] */
  int (*open)(plait_context* context, const plait_config* config, void** self);
  void (*close)(void* self);
  int (*describe)(const void* self, plait_context* context, plait_source_info* info, const plait_parts_builder* parts);
  /* Record `index`. A failure with PLAIT_ERROR_CORRUPT is a bad record: the host draws a replacement. [any] */
  int (*read)(const void* self, plait_context* context, int64_t index, const plait_sample_call* call);
  /* Optional: 32 bytes that differ when any record differs, the same wherever the data lies. Absent: the host makes
   * them of the bytes of the files that the PLAIT_FIELD_PATH fields name. [setup] */
  int (*digest)(const void* self, plait_context* context, uint8_t* digest);
  /* Optional, of sources that say count -1: how many records there are, or `most` where there are so many or more. It
   * may go through all of them; asked with the same `most` it gives the same number. [one at a time] */
  int (*count_up_to)(const void* self, plait_context* context, int64_t most, int64_t* count);
} plait_source_ops;

typedef struct plait_augmenter_rules {
  uint32_t struct_size;
  uint32_t reserved;
  /* Parts that come out for parts that go in; pure. Parts that are not mentioned by the augmenter are passed on by
   * repeating them. [any] */
  int (*infer)(plait_context* context, const plait_config* config, uint32_t n_parts,
               const plait_tensor_spec* const* parts, const plait_parts_builder* builder);
} plait_augmenter_rules;

typedef struct plait_augmenter_ops {
  uint32_t struct_size;
  uint32_t reserved;
  int (*create)(plait_context* context, const plait_config* config, uint32_t n_parts,
                const plait_tensor_spec* const* parts, void** self); /* [setup] */
  void (*destroy)(void* self);
  /* One sample; outputs never alias inputs. [step] */
  int (*apply)(const void* self, plait_context* context, const plait_sample_call* call);
  /* Optional: a whole batch at once ([N, ...] parts), after apply of all samples (mixup, cutmix). [step] */
  int (*apply_batch)(const void* self, plait_context* context, const plait_sample_call* call);
  /* Optional, all or none: a pass over the training data first. fit_size f64s begin as zeros, observe adds a sample,
   * states are merged by addition in block order; create then finds the sum through the context extension
   * "plait.fit/1" (a plait_fit). */
  uint32_t (*fit_size)(plait_context* context, const plait_config* config, uint32_t n_parts,
                       const plait_tensor_spec* const* parts);
  int (*fit_observe)(plait_context* context, const plait_config* config, const plait_sample_call* call, double* state);
  /* Optional: bytes of memory during one call, 64-byte aligned, with any content: of apply (batch 0), or of apply_batch
   * on `batch` samples. [setup] */
  int (*workspace)(const void* self, plait_context* context, int64_t batch, uint64_t* bytes);
  /* What an implementation for a device has in place of apply and apply_batch: what apply does, to every sample of a
   * batch at once, each with its own of call->rngs (call->rng is none's). Parts are [N, ...] of the samples' own types,
   * none of them varies; they and the workspace (of `batch` samples) are the device's memory. Queues its work on
   * context->stream; context->device is there in create too. [step] */
  int (*apply_samples)(const void* self, plait_context* context, const plait_sample_call* call);
} plait_augmenter_ops;

#define PLAIT_EXTENSION_FIT "plait.fit/1"
typedef struct plait_fit {
  uint32_t struct_size;
  uint32_t size;
  const double* state;
} plait_fit;

/* ---------------------------------------------------------------- keyed records: tasks, combiners, reducers
 *
 * A stage maps its records, split by split, to pairs of a key and a value. A combiner folds values of one key where
 * they are made; pairs are then partitioned over the ranks by a hash of their key, sorted by key (as unsigned bytes),
 * and a reducer makes what becomes of each key. Ranks, threads, and what had to be spilled to files change no byte of
 * it. */

/* What the bytes of a value are. */
enum {
  PLAIT_VALUE_BYTES = 1, /* any number of any bytes */
  PLAIT_VALUE_I64 = 2,   /* 8 bytes, as the machine has them */
  PLAIT_VALUE_F64 = 3,   /* 8 bytes, as the machine has them; not NaN, nor infinite */
  PLAIT_VALUE_SUM = 4    /* a plait_sum */
};

#define PLAIT_MAX_KEY 65536             /* bytes of a key: 0 .. this */
#define PLAIT_MAX_VALUE (1u << 30)      /* bytes of a value */
#define PLAIT_MAX_PARTIAL 4096          /* bytes of what a combiner folds values into */

/* A sum of f64s that no order of adding changes. The numbers' bits, in two's complement from 2^-1088 on, lie in bins of
 * 32 bits. Kept are the 4 bins up to that of the largest number; each holds the sum of what the numbers have in it,
 * a number's own sign with every bin. What lies below the lowest kept bin is left out: an error below 2^-96 of the
 * largest magnitude for each number. At most 2^30 numbers. sdk/order_free_sum.hpp adds to it and reads it. */
typedef struct plait_sum {
  int64_t bins[4]; /* from the highest down */
  int32_t highest; /* number of the bin of bins[0]; 0, and all bins 0, for a sum of nothing */
  int32_t reserved;
} plait_sum;

/* Takes pairs of a key and a value. PLAIT_FAILED: one does not fit (too long, not of the kind of value that was
 * declared), or the work is no longer wanted; whoever emits then fails too. */
typedef struct plait_emitter {
  uint32_t struct_size;
  uint32_t reserved;
  void* host_data;
  int (*emit)(const struct plait_emitter* emitter, plait_str key, plait_str value);
  uint32_t value; /* PLAIT_VALUE_* that it takes; 0: not said */
  uint32_t reserved_2;
} plait_emitter;

/* A task may fill accumulators in place of emitting pairs: arrays with a rule by which those of all splits become one.
 * A split's arrays begin as the rule says, its calls of map add to them, and the host folds them once the split is
 * done; finish makes outputs of the whole, or state for another pass over the records. */
enum {
  PLAIT_ACCUMULATE_SUM = 1,     /* f64, from 0: the splits' sum, rounded once (a plait_sum): no order changes it */
  PLAIT_ACCUMULATE_MEAN = 2,    /* that sum over the number of records */
  PLAIT_ACCUMULATE_MINIMUM = 3, /* f64, from +infinity, which stays where nothing was met */
  PLAIT_ACCUMULATE_MAXIMUM = 4, /* f64, from -infinity */
  PLAIT_ACCUMULATE_COUNT = 5,   /* i64, from 0: the sum */
  PLAIT_ACCUMULATE_ROWS = 6     /* any dtype: rows of this shape, in the order of the records; by append */
};

/* Answers of a task's infer: keyed once, or accumulator at least once. */
typedef struct plait_task_builder {
  uint32_t struct_size;
  uint32_t reserved;
  void* host_data;
  int (*keyed)(const struct plait_task_builder* builder, uint32_t value); /* what it emits: PLAIT_VALUE_* */
  /* rule: PLAIT_ACCUMULATE_*; its own name among accumulators, and no variable axis. */
  int (*accumulator)(const struct plait_task_builder* builder, uint32_t rule, const plait_tensor_spec* spec);
  /* What finish leaves to the next pass, and map reads; zeros in the first one. */
  int (*state)(const struct plait_task_builder* builder, const plait_tensor_spec* state);
  /* What finish makes. None: the accumulators themselves are the outputs. */
  int (*output)(const struct plait_task_builder* builder, const plait_tensor_spec* output);
} plait_task_builder;

/* Takes rows of an accumulator of rows. PLAIT_FAILED: the host has no memory left for them; whoever appends fails. */
typedef struct plait_row_taker {
  uint32_t struct_size;
  uint32_t reserved;
  void* host_data;
  int (*append)(const struct plait_row_taker* taker, uint32_t accumulator, int64_t count, const void* rows);
} plait_row_taker;

/* Some records of a split, in order. A split may come in several calls. */
typedef struct plait_task_call {
  uint32_t struct_size;
  uint32_t n_parts;
  int64_t first;                     /* number of the first record in the stage's input */
  int64_t count;                     /* records: N of the parts */
  const plait_tensor* const* parts;  /* [N, ...], as the source and the stage's preprocess give them */
  const plait_emitter* out;          /* keyed; else NULL */
  int64_t total;                     /* records of the stage's input, bad ones among them */
  int64_t pass;                      /* from 0 */
  uint32_t n_accumulators;
  uint32_t n_states;
  const plait_tensor* const* accumulators; /* in the order of infer: the split's, added to in place; rows: data NULL */
  const plait_tensor* const* states;       /* read only */
  const plait_row_taker* rows;
  plait_rng rng;                           /* of (seed, stage, pass) */
} plait_task_call;

/* The end of a pass. */
typedef struct plait_task_finish {
  uint32_t struct_size;
  uint32_t n_accumulators;
  uint32_t n_states;
  uint32_t n_outputs;
  int64_t records; /* that were mapped in this pass */
  int64_t pass;    /* from 0 */
  const plait_tensor* const* accumulators; /* of all records; rows: [number of rows, ...] */
  const plait_tensor* const* states;       /* of this pass; written for the next */
  const plait_tensor* const* outputs;      /* zeros, to be written in the last pass */
  plait_rng rng;                           /* of (seed, stage, pass); other numbers than map's */
  int32_t another;                         /* set to 1: another pass is wanted, with these states */
} plait_task_finish;

enum {
  PLAIT_TASK_ACCUMULATES = 1 /* infer says accumulators; else pairs */
};

typedef struct plait_task_rules {
  uint32_t struct_size;
  uint32_t reserved;
  /* Ids taken where a file names none; NULL: no combiner; the file must name a reducer. */
  const char* combiner;
  const char* reducer;
  /* Fails where records of these parts are not for it; says what it emits. Pure. [any] */
  int (*infer)(plait_context* context, const plait_config* config, uint32_t n_parts,
               const plait_tensor_spec* const* parts, const plait_task_builder* builder);
  uint32_t flags; /* PLAIT_TASK_* */
  uint32_t reserved_flags;
} plait_task_rules;

typedef struct plait_task_ops {
  uint32_t struct_size;
  uint32_t reserved;
  int (*create)(plait_context* context, const plait_config* config, uint32_t n_parts,
                const plait_tensor_spec* const* parts, void** self); /* [setup] */
  void (*destroy)(void* self);
  /* What is emitted, or a split adds up, depends on records and states alone, not on other splits or tries before. What
   * is emitted does not depend on how records are cut into calls; sums may, in their last bits: a split is cut alike in
   * every run. It may be called again for the same records. [any] */
  int (*map)(const void* self, plait_context* context, const plait_task_call* call);
  /* Optional, of accumulators: once a pass, on one rank, after all splits. [one at a time] */
  int (*finish)(const void* self, plait_context* context, plait_task_finish* call);
} plait_task_ops;

enum {
  PLAIT_COMBINER_COMMUTATIVE = 1 /* any order gives the same bytes; else only neighbours are folded, in order */
};

typedef struct plait_combiner_rules {
  uint32_t struct_size;
  uint32_t flags; /* PLAIT_COMBINER_* */
  /* Values of kind `in` are folded into what `out` says, of *bytes bytes (1 .. PLAIT_MAX_PARTIAL). Fails for values
   * that it cannot take. Pure. [any] */
  int (*infer)(plait_context* context, const plait_config* config, uint32_t in, uint32_t* out, uint32_t* bytes);
} plait_combiner_rules;

/* Associative: begin of every value, then fold in any grouping, gives the same bytes. The reducer gets what all values
 * of a key were folded into, in their place. */
typedef struct plait_combiner_ops {
  uint32_t struct_size;
  uint32_t reserved;
  int (*create)(plait_context* context, const plait_config* config, uint32_t in, void** self); /* [setup] */
  void (*destroy)(void* self);
  int (*begin)(const void* self, plait_context* context, plait_str value, void* partial); /* [any] */
  /* into = into and then from. 16-byte aligned both. [any] */
  int (*fold)(const void* self, plait_context* context, void* into, const void* from);
} plait_combiner_ops;

/* ---------------------------------------------------------------- reducers: of the shards' deltas, and of keys */

typedef struct plait_shard_result {
  uint32_t struct_size;
  uint32_t shards; /* K */
  uint32_t shard;
  uint32_t reserved;
  int64_t samples; /* trained on in this round */
  double loss;     /* mean of the round */
} plait_shard_result;

/* The values of a key, in the order of the splits and within one as they were emitted; with a combiner, the one that
 * all of them were folded into. Valid for one call of reduce. */
typedef struct plait_values {
  uint32_t struct_size;
  uint32_t reserved;
  void* host_data;
  /* 1 and the next value, valid until the next call; 0 after the last. */
  int (*next)(const struct plait_values* values, plait_str* value);
} plait_values;

/* A stretch of the vectors of a whole reduction. */
enum { PLAIT_REDUCED_PARAMETER = 1, PLAIT_REDUCED_BUFFER = 2, PLAIT_REDUCED_SLOT = 3 };
typedef struct plait_reduced_tensor {
  uint32_t struct_size;
  uint32_t what;          /* PLAIT_REDUCED_* */
  const char* name;       /* "c1.weight"; of a slot with the parameter's: "c1.weight.momentum" */
  const int64_t* shape;   /* plain extents */
  int32_t rank;
  uint32_t reduce;        /* PLAIT_REDUCE_* that it declares */
  uint64_t first, count;  /* elements of the vectors; in the layer's own order, with its padding */
} plait_reduced_tensor;

/* All results of a round at once. A shard that failed has infinities all over. */
typedef struct plait_whole_reduction {
  uint32_t struct_size;
  uint32_t shards; /* K */
  int64_t round;   /* 0-based */
  uint64_t count;  /* elements of a vector */
  uint32_t n_tensors;
  uint32_t n_states;
  const plait_reduced_tensor* const* tensors;
  const plait_shard_result* const* results; /* of every shard; loss infinite: it failed */
  const float* const* deltas;               /* [K][count]: parameters, then buffers and slots, by tensors */
  float* const* states; /* [n_states][count], as describe names them; the host keeps them, in checkpoints too */
  float* combined;      /* [count] to be written */
} plait_whole_reduction;

typedef struct plait_reducer_rules {
  uint32_t struct_size;
  uint32_t reserved;
  /* Reducers of keys: what comes out for values of kind `in`. Fails for values that it cannot take. Pure. [any] */
  int (*infer)(plait_context* context, const plait_config* config, uint32_t in, uint32_t* out);
  /* Optional, of combine_whole: states between rounds; `reduce` of the specs is not looked at. Pure. [any] */
  int (*describe)(plait_context* context, const plait_config* config, const plait_optimizer_builder* builder);
} plait_reducer_rules;

/* Has weight, combine or combine_whole (of deltas), or reduce (of keys; rules.infer is there then), or both. */
typedef struct plait_reducer_ops {
  uint32_t struct_size;
  uint32_t reserved;
  int (*create)(plait_context* context, const plait_config* config, void** self); /* [setup] */
  void (*destroy)(void* self);
  /* Linear reducers: weight of a shard in the mean, from 1 on; over the shards' common divisor at most 2^16. [any] */
  int (*weight)(const void* self, plait_context* context, const plait_shard_result* result, int32_t* weight);
  /* Gathering reducers (weight is NULL): a slice of all K deltas, buffers or slots; INFINITY: a shard failed. [any] */
  int (*combine)(const void* self, plait_context* context, uint32_t shards, const float* const* deltas,
                 uint64_t count, float* combined);
  /* All that there is of one key. Emits any number of values, each under this key. `in`: their kind. [any] */
  int (*reduce)(const void* self, plait_context* context, uint32_t in, plait_str key, const plait_values* values,
                const plait_emitter* out);
  /* In place of combine: the whole vectors of all shards, with states, the round's number and the shards' losses. The
   * same on every rank, which is called for it once a round. [one at a time] */
  int (*combine_whole)(const void* self, plait_context* context, const plait_whole_reduction* call);
} plait_reducer_ops;

/* ---------------------------------------------------------------- sinks: what writes a result into a file
 *
 * The host opens, names, syncs and replaces the file; a sink makes its bytes, from the first to the last. Where it
 * fails, whatever was there before is there still. */

/* Takes the bytes that follow those before. PLAIT_FAILED: the host cannot keep them, or does not want them any more,
 * and says why itself; the sink appends nothing more, and fails. */
typedef struct plait_byte_taker {
  uint32_t struct_size;
  uint32_t reserved;
  void* host_data;
  int (*append)(const struct plait_byte_taker* taker, plait_str bytes);
} plait_byte_taker;

/* An array of a result, in host memory. */
typedef struct plait_sink_array {
  uint32_t struct_size;
  uint32_t n_columns;         /* 0: its columns have no names; else its second extent */
  const plait_tensor* tensor; /* with a name of its own; for check_arrays without data, a first extent of -1: unknown */
  const char* const* columns; /* any bytes but 0 */
} plait_sink_array;

/* The pairs of a keyed result, sorted by key (as unsigned bytes). */
typedef struct plait_pairs {
  uint32_t struct_size;
  uint32_t value; /* what the values are: PLAIT_VALUE_BYTES, _I64 or _F64; sums come as the numbers that they are */
  void* host_data;
  /* 1 and the next pair, valid until the next call; 0 past the last, or where the host has failed, which says so. */
  int (*next)(const struct plait_pairs* pairs, plait_str* key, plait_str* value);
} plait_pairs;

enum {
  PLAIT_SINK_TABLE = 1 /* arrays become rows and columns: where there is a choice, it is given those of two axes */
};

typedef struct plait_sink_rules {
  uint32_t struct_size;
  uint32_t flags; /* PLAIT_SINK_* */
  /* Of files that are written by it where a file names no sink: ".csv"; a dot, small letters, digits, - and further
   * dots. At least one. */
  const char* const* endings;
  uint32_t n_endings;
  uint32_t reserved;
  /* Optional: fails where it cannot hold these arrays, or values of this kind (PLAIT_VALUE_*). Pure. [any] */
  int (*check_arrays)(plait_context* context, const plait_config* config, uint32_t n_arrays,
                      const plait_sink_array* const* arrays);
  int (*check_pairs)(plait_context* context, const plait_config* config, uint32_t value);
} plait_sink_rules;

/* Has write_arrays, write_pairs, or both. The same input gives the same bytes. */
typedef struct plait_sink_ops {
  uint32_t struct_size;
  uint32_t reserved;
  int (*create)(plait_context* context, const plait_config* config, void** self); /* [setup] */
  void (*destroy)(void* self);
  /* Arrays that check_arrays has let through. [one at a time] */
  int (*write_arrays)(const void* self, plait_context* context, uint32_t n_arrays,
                      const plait_sink_array* const* arrays, const plait_byte_taker* out);
  /* Any number of pairs: they are not kept. [one at a time] */
  int (*write_pairs)(const void* self, plait_context* context, const plait_pairs* pairs, const plait_byte_taker* out);
} plait_sink_ops;

/* ---------------------------------------------------------------- pretrainers: stages before the job's training */

enum {
  PLAIT_NETWORK_FROZEN = 1,    /* the job does not train it */
  PLAIT_NETWORK_SHARES = 2,    /* its parameters are those of another layer */
  PLAIT_NETWORK_ACTIVATION = 4 /* see plait_layer_builder.activation */
};

/* A layer of the network that is pretrained. */
typedef struct plait_network_layer {
  uint32_t struct_size;
  uint32_t flags;        /* PLAIT_NETWORK_* */
  uint32_t n_parameters; /* tensors; 0: nothing to train */
  uint32_t n_buffers;    /* running statistics, say */
  const char* name;
  const char* type_id;
  const plait_tensor_spec* input;  /* of input 0, N = batch */
  const plait_tensor_spec* output; /* of output 0 */
  uint32_t n_inputs;
  uint32_t reserved;
  const char* const* inputs; /* what it reads, as the file has it: layers ("a", "a:1"), or parts of the records */
  const plait_block* mirror; /* see plait_layer_builder.mirror; NULL: it has none */
} plait_network_layer;

typedef struct plait_pretrain_request {
  uint32_t struct_size;
  uint32_t n_layers;
  const plait_network_layer* const* layers; /* in an order in which inputs come first */
  uint32_t stage;                           /* 0, 1, ...: which stage is asked for */
  uint32_t reserved;
  int64_t steps_per_epoch;
} plait_pretrain_request;

/* A layer of the network in a stage. It begins with the network's weights and buffers as they are now. What the job
 * freezes stays frozen. */
enum {
  PLAIT_COPY_FROZEN = 1 /* as in evaluation, and not trained; else what it learns goes back to the network's layer when
                           the stage ends, if it has kept its name */
};
typedef struct plait_layer_copy {
  uint32_t struct_size;
  uint32_t flags;            /* PLAIT_COPY_* */
  const char* layer;         /* its name in the network */
  const char* name;          /* in the stage; NULL: the same */
  uint32_t n_inputs;
  uint32_t reserved;
  const char* const* inputs; /* NULL: those of the network */
} plait_layer_copy;

/* Builds one stage: begin, then its layers so that inputs come first, at least one loss, and the rest in any order.
 * What it does not say (source, shards, local steps, batch, seed) is the job's own. Every function fails with what the
 * host cannot do; the whole stage is checked, as a file is, when next_stage has returned. */
typedef struct plait_stage_builder {
  uint32_t struct_size;
  uint32_t reserved;
  void* host_data;
  int (*begin)(const struct plait_stage_builder* builder, const char* title);
  int (*copy)(const struct plait_stage_builder* builder, const plait_layer_copy* copy);
  /* A layer that lives for this stage alone. */
  int (*layer)(const struct plait_stage_builder* builder, const char* name, uint32_t n_inputs,
               const char* const* inputs, const plait_block* block);
  /* A layer that disturbs `input`, of the one type whose plait_corruption has this noise. */
  int (*corrupt)(const struct plait_stage_builder* builder, const char* name, const char* input, const char* noise,
                 double amount);
  int (*loss)(const struct plait_stage_builder* builder, const char* input, const char* target, double weight,
              const plait_block* block);
  int (*optimizer)(const struct plait_stage_builder* builder, const plait_block* block); /* not called: the job's own */
  /* One of both; neither: the job's own. steps: of each shard, in all. */
  int (*epochs)(const struct plait_stage_builder* builder, double epochs);
  int (*steps)(const struct plait_stage_builder* builder, int64_t steps);
} plait_stage_builder;

typedef struct plait_pretrainer_ops {
  uint32_t struct_size;
  uint32_t reserved;
  int (*create)(plait_context* context, const plait_config* config, void** self); /* [setup] */
  void (*destroy)(void* self);
  /* Emits at most one stage; none: pretraining is complete. [setup] */
  int (*next_stage)(const void* self, plait_context* context, const plait_pretrain_request* request,
                    const plait_stage_builder* builder);
} plait_pretrainer_ops;

/* ---------------------------------------------------------------- devices */

enum { PLAIT_DEVICE_HOST_MEMORY = 1 /* the host may read and write its memory directly */ };

typedef struct plait_device_info {
  uint32_t struct_size;
  uint32_t flags;
  const char* name; /* static, for people */
  uint64_t memory_bytes; /* 0: unknown */
} plait_device_info;

/* Sums of which the host makes the mean of the shards, elementwise, without rounding that an order could change. Window
 * t = 0, 1, ... 11 counts units of 2^(24 t - 149). A finite x is cut from the highest window down: its part in each is
 * as many units as are nearest to what is left of x, ties to even. Its top is the highest window with a part, 1 at
 * least. An element keeps the sums of weight * part in two windows: the highest top T of its values so far, and T - 1.
 * Where T rises the sums move down, and what lies below the two windows is dropped. All zeros: nothing yet. */
typedef struct plait_exact_sums {
  uint32_t struct_size;
  uint32_t is_wide; /* 1: high and low are int64_t, 0: int32_t; the host lets no sum outgrow them */
  uint64_t count;   /* elements */
  void* high;       /* [count], in window T */
  void* low;        /* [count], in window T - 1 */
  uint8_t* window;  /* [count], T; 0 is read as 1 */
} plait_exact_sums;

/* Work is queued on streams and ordered within one. An error may arrive late: at the next call on the stream, at the
 * latest in synchronize. */
typedef struct plait_device_ops {
  uint32_t struct_size;
  uint32_t reserved;
  int (*open)(plait_context* context, const plait_config* config, plait_device_info* info, void** self); /* [setup] */
  void (*close)(void* self);
  /* 64-byte aligned. Fails with PLAIT_ERROR_MEMORY. [any] */
  int (*allocate)(void* self, plait_context* context, uint64_t bytes, void** memory);
  void (*release)(void* self, void* memory);
  int (*stream_create)(void* self, plait_context* context, void** stream);
  void (*stream_destroy)(void* self, void* stream); /* waits for it */
  /* All below queue on context->stream. Host memory of copies must live until synchronize. [any], one stream at a
   * time */
  int (*copy_in)(void* self, plait_context* context, void* device_memory, const void* host_memory, uint64_t bytes);
  int (*copy_out)(void* self, plait_context* context, void* host_memory, const void* device_memory, uint64_t bytes);
  int (*copy)(void* self, plait_context* context, void* to, const void* from, uint64_t bytes);
  int (*fill_zero)(void* self, plait_context* context, void* memory, uint64_t bytes);
  int (*add_f32)(void* self, plait_context* context, float* to, const float* from, uint64_t count); /* to += from */
  int (*synchronize)(void* self, plait_context* context);
  /* Also for calls that run on it: see plait_context.get_extension. */
  const void* (*get_extension)(void* self, const char* name);
  /* Optional, both or none: host memory from which and to which copies are fast and do not wait (pinned). 64-byte
   * aligned. Fails with PLAIT_ERROR_MEMORY. [any] */
  int (*allocate_host)(void* self, plait_context* context, uint64_t bytes, void** memory);
  void (*release_host)(void* self, void* memory);
  /* Optional, all or none: work that is queued between record and recorded is kept in *work and not done; repeat queues
   * all of it at once, as often as wanted. recorded may fail, and then nothing is kept and nothing was queued: the host
   * goes on without. forget: none of it is queued any more. */
  int (*record)(void* self, plait_context* context);
  int (*recorded)(void* self, plait_context* context, void** work);
  int (*repeat)(void* self, plait_context* context, void* work);
  void (*forget)(void* self, void* work);
  /* Optional, both or none: the mean of the shards, on memory of the device; the shards' results then need not come to
   * the host. The bits are those that plait_exact_sums says. [any], one stream at a time */
  /* Adds weight * x[i], or weight * d, d = x[i] - before[i] in f32, if `before` is there; denormals among these three
   * are 0. Sets *not_finite (its memory, [1]) to 1 where one is NaN or infinite: sums are then of no use. */
  int (*add_to_sums)(void* self, plait_context* context, const plait_exact_sums* sums, const float* x,
                     const float* before, int32_t weight, uint32_t* not_finite);
  /* out[i] = (high 2^24 + low) in f64 * the unit of window T - 1 / total_weight, rounded to f32, ties to even: zero
   * as +0, what is beyond f32's range as its largest number. */
  int (*mean_of_sums)(void* self, plait_context* context, const plait_exact_sums* sums, double total_weight,
                      float* out);
} plait_device_ops;

/* An extension of devices: what libraries share that is costly to make for each of them (a handle of a vendor's
 * library). `key` says what it is, and of which version. Threads: get [any], one stream at a time. */
#define PLAIT_EXTENSION_STREAM_STORAGE "plait.stream_storage/1"
typedef struct plait_stream_storage {
  uint32_t struct_size;
  uint32_t reserved;
  /* *kept: what is kept under `key` with context->stream; where that is NULL (create of a layer), with the device. At
   * the first call create makes it; the stream, or the device, destroys it at its end. The library that made it stays
   * loaded. Fails as create does; then nothing is kept. */
  int (*get)(plait_context* context, const char* key, int (*create)(plait_context* context, void** made),
             void (*destroy)(void* made), void** kept);
} plait_stream_storage;

#ifdef __cplusplus
}
#endif
#endif
