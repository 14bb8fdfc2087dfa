/** Generated from openapi.json; see README.md here. */
export interface paths {
    "/budgets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List budgets */
        get: operations["getBudgets"];
        put?: never;
        /** Create a budget */
        post: operations["postBudgets"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/budgets/scope/{type}/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the budgets of a scope */
        get: operations["getBudgetsScope"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/budgets/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a budget */
        get: operations["getBudget"];
        /** Change a budget */
        put: operations["putBudget"];
        post?: never;
        /**
         * Archive a budget
         * @description It applies no more; its usage is money and stays.
         */
        delete: operations["deleteBudget"];
        options?: never;
        head?: never;
        /** Change a budget by a JSON merge patch (RFC 7396) */
        patch: operations["patchBudget"];
        trace?: never;
    };
    "/budgets/{id}/restore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Restore an archived budget
         * @description Its parent must not be archived. One that is not archived stays as it is.
         */
        post: operations["postBudgetRestore"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/budgets/{id}/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getBudgetStatus"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/budgets/{id}/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getBudgetUsage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/budgets/{id}/usage/summary": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Sum up the usage of a budget
         * @description From sums that are kept by hour and by day, so that a year answers as fast as a day. A call counts in the hour in which it opened. Of the tags of one call the first 8 count, by name. At most 10,000 groups.
         */
        get: operations["getBudgetUsageSummary"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List gateway keys */
        get: operations["getKeys"];
        put?: never;
        /**
         * Make a gateway key
         * @description The answer alone shows its secret.
         */
        post: operations["postKeys"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a gateway key */
        get: operations["getKey"];
        put?: never;
        post?: never;
        /** Revoke a gateway key, for good */
        delete: operations["deleteKey"];
        options?: never;
        head?: never;
        /** Change a gateway key */
        patch: operations["patchKey"];
        trace?: never;
    };
    "/keys/{id}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Give a gateway key a new secret
         * @description The answer alone shows it. The secret before works until the overlap ends.
         */
        post: operations["postKeyRotate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description RFC 9457 */
        Problem: {
            type: string;
            /** @description of the status */
            title: string;
            status: number;
            /** @description what is wrong with this request, for people */
            detail: string;
            /** @description stable, for programs; docs/ERRORS.md has them all */
            code: string;
            /** @description by which the gateway's log and audit log name this request */
            requestId: string;
            /** @description which one is wrong, e.g. alerts/0/threshold */
            field?: string;
            /** @description what would be right */
            expected?: string;
        };
    };
    responses: {
        /** @description `body_too_large`: The body is larger than the route takes. */
        body_too_large: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "body_too_large";
                };
            };
        };
        /**
         * @description `budget_in_use`: The budget was charged, so this field of it cannot change any more.
         *
         *     `conflict`: The change contradicts what is there.
         */
        "budget_in_use.conflict": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "budget_in_use" | "conflict";
                };
            };
        };
        /** @description `dependency_unavailable`: PostgreSQL, or what else the gateway needs for this, does not answer. */
        dependency_unavailable: {
            headers: {
                /** @description Seconds after which to try again. */
                "retry-after"?: number;
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "dependency_unavailable";
                };
            };
        };
        /** @description `forbidden`: The token is valid and does not allow this. */
        forbidden: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "forbidden";
                };
            };
        };
        /** @description `idempotency_key_reused`: This `idempotency-key` came before with another request. */
        idempotency_key_reused: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "idempotency_key_reused";
                };
            };
        };
        /**
         * @description `idempotency_key_reused`: This `idempotency-key` came before with another request.
         *
         *     `unprocessable`: The request is well formed and cannot be done as it is.
         */
        "idempotency_key_reused.unprocessable": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "idempotency_key_reused" | "unprocessable";
                };
            };
        };
        /** @description `internal_error`: The gateway failed. */
        internal_error: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "internal_error";
                };
            };
        };
        /**
         * @description `invalid_body`: The body is not the JSON that the route takes: empty, cut off, malformed, or with a forbidden name.
         *
         *     `invalid_field`: One field, parameter or header is wrong; `field` names it, `expected` says what would be right.
         */
        "invalid_body.invalid_field": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "invalid_body" | "invalid_field";
                };
            };
        };
        /** @description `invalid_field`: One field, parameter or header is wrong; `field` names it, `expected` says what would be right. */
        invalid_field: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "invalid_field";
                };
            };
        };
        /** @description `not_found`: There is no such object, or it is out of the reach of who asks. */
        not_found: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "not_found";
                };
            };
        };
        /** @description `precondition_failed`: The object is another version by now than the one that `if-match` names; nothing was changed. */
        precondition_failed: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "precondition_failed";
                };
            };
        };
        /** @description `unauthorized`: There is no admin token, or it is not one of this gateway. */
        unauthorized: {
            headers: {
                /** @description The scheme that is asked for. */
                "www-authenticate"?: string;
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "unauthorized";
                };
            };
        };
        /** @description `unsupported_media_type`: The body is not application/json. */
        unsupported_media_type: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "unsupported_media_type";
                };
            };
        };
        /** @description `url_too_long`: A part of the path is longer than any id. */
        url_too_long: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "url_too_long";
                };
            };
        };
    };
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getBudgets: {
        parameters: {
            query?: {
                /** @description most that are answered at once */
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                /** @description archived ones too */
                includeInactive?: boolean;
                /** @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                parentBudgetId?: string;
                /** @description whom a budget is for */
                scopeType?: "organization" | "team" | "user" | "project";
                /** @description exactly */
                scopeId?: string;
                /** @description exactly */
                organizationId?: string;
                /** @description soft counts and never refuses; enforced if not given */
                mode?: "enforced" | "soft";
                /**
                 * @description ISO 4217
                 * @example USD
                 */
                currency?: string;
                /** @description by the calendar of the time zone, weeks from Monday; custom: from startDate to endDate, and again */
                period?: "daily" | "weekly" | "monthly" | "quarterly" | "annual" | "custom";
                /**
                 * @description name:value, or a name alone; several: all of them
                 * @example costCenter:4711
                 */
                tag?: string | string[];
                /** @description a part of the name, in letters of either case */
                q?: string;
                /** @description -: the greatest first */
                sort?: "name" | "-name" | "createdAt" | "-createdAt" | "updatedAt" | "-updatedAt" | "amount" | "-amount";
                /** @description whether to count all pages */
                total?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "budgets": [
                     *         {
                     *           "id": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *           "name": "Search team",
                     *           "description": "What the search team may spend",
                     *           "organizationId": "acme",
                     *           "scopeType": "team",
                     *           "scopeId": "search",
                     *           "currency": "USD",
                     *           "period": "monthly",
                     *           "timezone": "Europe/Berlin",
                     *           "startDate": "2026-12-01T00:00:00.000Z",
                     *           "endDate": null,
                     *           "recurring": true,
                     *           "mode": "enforced",
                     *           "paused": false,
                     *           "filters": {
                     *             "providers": [
                     *               "openai"
                     *             ],
                     *             "models": [
                     *               "gpt-*"
                     *             ],
                     *             "tags": {
                     *               "costCenter": "4711"
                     *             }
                     *           },
                     *           "tags": {
                     *             "costCenter": "4711"
                     *           },
                     *           "parentBudgetId": null,
                     *           "createdBy": "ada",
                     *           "amount": "12.5",
                     *           "enforcedLimit": "237.5",
                     *           "alerts": [
                     *             {
                     *               "threshold": 80,
                     *               "actions": [
                     *                 "notify"
                     *               ],
                     *               "notificationChannels": [
                     *                 "text"
                     *               ],
                     *               "message": "text"
                     *             }
                     *           ],
                     *           "version": 7,
                     *           "createdAt": "2026-12-01T00:00:00.000Z",
                     *           "updatedAt": "2026-12-01T00:00:00.000Z",
                     *           "archivedAt": null,
                     *           "warnings": [
                     *             {
                     *               "code": "children_exceed_parent",
                     *               "message": "text",
                     *               "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4"
                     *             }
                     *           ]
                     *         }
                     *       ],
                     *       "count": 1,
                     *       "limit": 1,
                     *       "nextCursor": null,
                     *       "total": 1
                     *     }
                     */
                    "application/json": {
                        budgets: {
                            /** @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                            id: string;
                            /** @description for people */
                            name: string;
                            description: string | null;
                            organizationId: string | null;
                            /**
                             * @description whom a budget is for
                             * @enum {unknown}
                             */
                            scopeType: "organization" | "team" | "user" | "project";
                            /** @description of the organization, team, user or project */
                            scopeId: string;
                            /**
                             * @description ISO 4217
                             * @example USD
                             */
                            currency: string;
                            /**
                             * @description by the calendar of the time zone, weeks from Monday; custom: from startDate to endDate, and again
                             * @enum {unknown}
                             */
                            period: "daily" | "weekly" | "monthly" | "quarterly" | "annual" | "custom";
                            /**
                             * @description IANA time zone
                             * @default UTC
                             * @example Europe/Berlin
                             */
                            timezone: string;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            startDate: string;
                            endDate: string | null;
                            /** @description default true, false for custom; false: only the period that holds startDate */
                            recurring: boolean;
                            /**
                             * @description soft counts and never refuses; enforced if not given
                             * @enum {unknown}
                             */
                            mode: "enforced" | "soft";
                            /**
                             * @description refuses new calls until it is resumed
                             * @default false
                             */
                            paused: boolean;
                            /** @description the budget applies to calls that pass all of them */
                            filters: {
                                /**
                                 * @example [
                                 *       "openai"
                                 *     ]
                                 */
                                providers?: string[];
                                /**
                                 * @description names, or patterns with *
                                 * @example [
                                 *       "gpt-*"
                                 *     ]
                                 */
                                models?: string[];
                                /**
                                 * @example {
                                 *       "costCenter": "4711"
                                 *     }
                                 */
                                tags?: {
                                    [key: string]: string;
                                };
                            };
                            /**
                             * @example {
                             *       "costCenter": "4711"
                             *     }
                             */
                            tags: {
                                [key: string]: string;
                            };
                            parentBudgetId: string | null;
                            createdBy: string | null;
                            /**
                             * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                             * @example 12.5
                             */
                            amount: string;
                            /**
                             * @description the amount, or less where block-all says so
                             * @example 237.5
                             */
                            enforcedLimit: string;
                            alerts: {
                                /**
                                 * @description percent of the amount
                                 * @example 80
                                 */
                                threshold: number;
                                /** @description block-all: at most 100 % */
                                actions: ("notify" | "block-all")[];
                                notificationChannels: string[];
                                message: string | null;
                            }[];
                            /** @description also the ETag; grows with every change */
                            version: number;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            createdAt: string;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            updatedAt: string;
                            archivedAt: string | null;
                            /** @description what is allowed, and perhaps not meant */
                            warnings?: {
                                /** @enum {unknown} */
                                code: "children_exceed_parent";
                                message: string;
                                /** @description the budget that promises more below it than it has */
                                budgetId: string;
                            }[];
                        }[];
                        /** @description of this page */
                        count: number;
                        limit: number;
                        nextCursor: string | null;
                        /** @description of all pages, where total=true asks for it */
                        total?: number;
                    };
                };
            };
            400: components["responses"]["invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    postBudgets: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once
                 * @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55
                 */
                "idempotency-key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "Search team",
                 *       "organizationId": "acme",
                 *       "scopeType": "team",
                 *       "scopeId": "search",
                 *       "amount": "250",
                 *       "currency": "USD",
                 *       "period": "monthly",
                 *       "timezone": "Europe/Berlin",
                 *       "alerts": [
                 *         {
                 *           "threshold": 80
                 *         },
                 *         {
                 *           "threshold": 95,
                 *           "actions": [
                 *             "block-all"
                 *           ]
                 *         }
                 *       ]
                 *     }
                 */
                "application/json": {
                    /** @description for people */
                    name: string;
                    description?: string | null;
                    organizationId?: string | null;
                    /**
                     * @description whom a budget is for
                     * @enum {unknown}
                     */
                    scopeType: "organization" | "team" | "user" | "project";
                    /** @description of the organization, team, user or project */
                    scopeId: string;
                    /**
                     * @description ISO 4217
                     * @example USD
                     */
                    currency: string;
                    /**
                     * @description by the calendar of the time zone, weeks from Monday; custom: from startDate to endDate, and again
                     * @enum {unknown}
                     */
                    period: "daily" | "weekly" | "monthly" | "quarterly" | "annual" | "custom";
                    /**
                     * @description IANA time zone
                     * @default UTC
                     * @example Europe/Berlin
                     */
                    timezone?: string;
                    /**
                     * @description RFC 3339, in UTC
                     * @example 2026-12-01T00:00:00.000Z
                     */
                    startDate?: string;
                    endDate?: string | null;
                    /** @description default true, false for custom; false: only the period that holds startDate */
                    recurring?: boolean;
                    /**
                     * @description soft counts and never refuses; enforced if not given
                     * @enum {unknown}
                     */
                    mode?: "enforced" | "soft";
                    /**
                     * @description refuses new calls until it is resumed
                     * @default false
                     */
                    paused?: boolean;
                    /** @description the budget applies to calls that pass all of them */
                    filters?: {
                        /**
                         * @example [
                         *       "openai"
                         *     ]
                         */
                        providers?: string[];
                        /**
                         * @description names, or patterns with *
                         * @example [
                         *       "gpt-*"
                         *     ]
                         */
                        models?: string[];
                        /**
                         * @example {
                         *       "costCenter": "4711"
                         *     }
                         */
                        tags?: {
                            [key: string]: string;
                        };
                    };
                    /**
                     * @example {
                     *       "costCenter": "4711"
                     *     }
                     */
                    tags?: {
                        [key: string]: string;
                    };
                    parentBudgetId?: string | null;
                    createdBy?: string | null;
                    /**
                     * @description more than 0, at most 9,000,000,000, at most 9 decimals: a decimal string, or a number that means its shortest decimal form
                     * @example 12.50
                     */
                    amount: string | number;
                    alerts?: ({
                        /**
                         * @description percent of the amount
                         * @example 80
                         */
                        threshold: number;
                    } & {
                        /**
                         * @description percent of the amount
                         * @example 80
                         */
                        threshold?: number;
                        /** @description block-all: at most 100 % */
                        actions?: ("notify" | "block-all")[];
                        notificationChannels?: string[];
                        message?: string | null;
                    })[];
                };
            };
        };
        responses: {
            /** @description It is made. */
            201: {
                headers: {
                    /** @description Path of the object that was made. */
                    location?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *       "name": "Search team",
                     *       "description": "What the search team may spend",
                     *       "organizationId": "acme",
                     *       "scopeType": "team",
                     *       "scopeId": "search",
                     *       "currency": "USD",
                     *       "period": "monthly",
                     *       "timezone": "Europe/Berlin",
                     *       "startDate": "2026-12-01T00:00:00.000Z",
                     *       "endDate": null,
                     *       "recurring": true,
                     *       "mode": "enforced",
                     *       "paused": false,
                     *       "filters": {
                     *         "providers": [
                     *           "openai"
                     *         ],
                     *         "models": [
                     *           "gpt-*"
                     *         ],
                     *         "tags": {
                     *           "costCenter": "4711"
                     *         }
                     *       },
                     *       "tags": {
                     *         "costCenter": "4711"
                     *       },
                     *       "parentBudgetId": null,
                     *       "createdBy": "ada",
                     *       "amount": "12.5",
                     *       "enforcedLimit": "237.5",
                     *       "alerts": [
                     *         {
                     *           "threshold": 80,
                     *           "actions": [
                     *             "notify"
                     *           ],
                     *           "notificationChannels": [
                     *             "text"
                     *           ],
                     *           "message": "text"
                     *         }
                     *       ],
                     *       "version": 7,
                     *       "createdAt": "2026-12-01T00:00:00.000Z",
                     *       "updatedAt": "2026-12-01T00:00:00.000Z",
                     *       "archivedAt": null,
                     *       "warnings": [
                     *         {
                     *           "code": "children_exceed_parent",
                     *           "message": "text",
                     *           "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                        id: string;
                        /** @description for people */
                        name: string;
                        description: string | null;
                        organizationId: string | null;
                        /**
                         * @description whom a budget is for
                         * @enum {unknown}
                         */
                        scopeType: "organization" | "team" | "user" | "project";
                        /** @description of the organization, team, user or project */
                        scopeId: string;
                        /**
                         * @description ISO 4217
                         * @example USD
                         */
                        currency: string;
                        /**
                         * @description by the calendar of the time zone, weeks from Monday; custom: from startDate to endDate, and again
                         * @enum {unknown}
                         */
                        period: "daily" | "weekly" | "monthly" | "quarterly" | "annual" | "custom";
                        /**
                         * @description IANA time zone
                         * @default UTC
                         * @example Europe/Berlin
                         */
                        timezone: string;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        startDate: string;
                        endDate: string | null;
                        /** @description default true, false for custom; false: only the period that holds startDate */
                        recurring: boolean;
                        /**
                         * @description soft counts and never refuses; enforced if not given
                         * @enum {unknown}
                         */
                        mode: "enforced" | "soft";
                        /**
                         * @description refuses new calls until it is resumed
                         * @default false
                         */
                        paused: boolean;
                        /** @description the budget applies to calls that pass all of them */
                        filters: {
                            /**
                             * @example [
                             *       "openai"
                             *     ]
                             */
                            providers?: string[];
                            /**
                             * @description names, or patterns with *
                             * @example [
                             *       "gpt-*"
                             *     ]
                             */
                            models?: string[];
                            /**
                             * @example {
                             *       "costCenter": "4711"
                             *     }
                             */
                            tags?: {
                                [key: string]: string;
                            };
                        };
                        /**
                         * @example {
                         *       "costCenter": "4711"
                         *     }
                         */
                        tags: {
                            [key: string]: string;
                        };
                        parentBudgetId: string | null;
                        createdBy: string | null;
                        /**
                         * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                         * @example 12.5
                         */
                        amount: string;
                        /**
                         * @description the amount, or less where block-all says so
                         * @example 237.5
                         */
                        enforcedLimit: string;
                        alerts: {
                            /**
                             * @description percent of the amount
                             * @example 80
                             */
                            threshold: number;
                            /** @description block-all: at most 100 % */
                            actions: ("notify" | "block-all")[];
                            notificationChannels: string[];
                            message: string | null;
                        }[];
                        /** @description also the ETag; grows with every change */
                        version: number;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        createdAt: string;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        updatedAt: string;
                        archivedAt: string | null;
                        /** @description what is allowed, and perhaps not meant */
                        warnings?: {
                            /** @enum {unknown} */
                            code: "children_exceed_parent";
                            message: string;
                            /** @description the budget that promises more below it than it has */
                            budgetId: string;
                        }[];
                    };
                };
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            409: components["responses"]["budget_in_use.conflict"];
            413: components["responses"]["body_too_large"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused.unprocessable"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    getBudgetsScope: {
        parameters: {
            query?: {
                /** @description most that are answered at once */
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                /** @description archived ones too */
                includeInactive?: boolean;
                /** @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                parentBudgetId?: string;
            };
            header?: never;
            path: {
                /** @description whom a budget is for */
                type: "organization" | "team" | "user" | "project";
                /** @description of the scope */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "budgets": [
                     *         {
                     *           "id": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *           "name": "Search team",
                     *           "description": "What the search team may spend",
                     *           "organizationId": "acme",
                     *           "scopeType": "team",
                     *           "scopeId": "search",
                     *           "currency": "USD",
                     *           "period": "monthly",
                     *           "timezone": "Europe/Berlin",
                     *           "startDate": "2026-12-01T00:00:00.000Z",
                     *           "endDate": null,
                     *           "recurring": true,
                     *           "mode": "enforced",
                     *           "paused": false,
                     *           "filters": {
                     *             "providers": [
                     *               "openai"
                     *             ],
                     *             "models": [
                     *               "gpt-*"
                     *             ],
                     *             "tags": {
                     *               "costCenter": "4711"
                     *             }
                     *           },
                     *           "tags": {
                     *             "costCenter": "4711"
                     *           },
                     *           "parentBudgetId": null,
                     *           "createdBy": "ada",
                     *           "amount": "12.5",
                     *           "enforcedLimit": "237.5",
                     *           "alerts": [
                     *             {
                     *               "threshold": 80,
                     *               "actions": [
                     *                 "notify"
                     *               ],
                     *               "notificationChannels": [
                     *                 "text"
                     *               ],
                     *               "message": "text"
                     *             }
                     *           ],
                     *           "version": 7,
                     *           "createdAt": "2026-12-01T00:00:00.000Z",
                     *           "updatedAt": "2026-12-01T00:00:00.000Z",
                     *           "archivedAt": null,
                     *           "warnings": [
                     *             {
                     *               "code": "children_exceed_parent",
                     *               "message": "text",
                     *               "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4"
                     *             }
                     *           ]
                     *         }
                     *       ],
                     *       "count": 1,
                     *       "limit": 1,
                     *       "nextCursor": null,
                     *       "total": 1
                     *     }
                     */
                    "application/json": {
                        budgets: {
                            /** @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                            id: string;
                            /** @description for people */
                            name: string;
                            description: string | null;
                            organizationId: string | null;
                            /**
                             * @description whom a budget is for
                             * @enum {unknown}
                             */
                            scopeType: "organization" | "team" | "user" | "project";
                            /** @description of the organization, team, user or project */
                            scopeId: string;
                            /**
                             * @description ISO 4217
                             * @example USD
                             */
                            currency: string;
                            /**
                             * @description by the calendar of the time zone, weeks from Monday; custom: from startDate to endDate, and again
                             * @enum {unknown}
                             */
                            period: "daily" | "weekly" | "monthly" | "quarterly" | "annual" | "custom";
                            /**
                             * @description IANA time zone
                             * @default UTC
                             * @example Europe/Berlin
                             */
                            timezone: string;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            startDate: string;
                            endDate: string | null;
                            /** @description default true, false for custom; false: only the period that holds startDate */
                            recurring: boolean;
                            /**
                             * @description soft counts and never refuses; enforced if not given
                             * @enum {unknown}
                             */
                            mode: "enforced" | "soft";
                            /**
                             * @description refuses new calls until it is resumed
                             * @default false
                             */
                            paused: boolean;
                            /** @description the budget applies to calls that pass all of them */
                            filters: {
                                /**
                                 * @example [
                                 *       "openai"
                                 *     ]
                                 */
                                providers?: string[];
                                /**
                                 * @description names, or patterns with *
                                 * @example [
                                 *       "gpt-*"
                                 *     ]
                                 */
                                models?: string[];
                                /**
                                 * @example {
                                 *       "costCenter": "4711"
                                 *     }
                                 */
                                tags?: {
                                    [key: string]: string;
                                };
                            };
                            /**
                             * @example {
                             *       "costCenter": "4711"
                             *     }
                             */
                            tags: {
                                [key: string]: string;
                            };
                            parentBudgetId: string | null;
                            createdBy: string | null;
                            /**
                             * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                             * @example 12.5
                             */
                            amount: string;
                            /**
                             * @description the amount, or less where block-all says so
                             * @example 237.5
                             */
                            enforcedLimit: string;
                            alerts: {
                                /**
                                 * @description percent of the amount
                                 * @example 80
                                 */
                                threshold: number;
                                /** @description block-all: at most 100 % */
                                actions: ("notify" | "block-all")[];
                                notificationChannels: string[];
                                message: string | null;
                            }[];
                            /** @description also the ETag; grows with every change */
                            version: number;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            createdAt: string;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            updatedAt: string;
                            archivedAt: string | null;
                            /** @description what is allowed, and perhaps not meant */
                            warnings?: {
                                /** @enum {unknown} */
                                code: "children_exceed_parent";
                                message: string;
                                /** @description the budget that promises more below it than it has */
                                budgetId: string;
                            }[];
                        }[];
                        /** @description of this page */
                        count: number;
                        limit: number;
                        nextCursor: string | null;
                        /** @description of all pages, where total=true asks for it */
                        total?: number;
                    };
                };
            };
            400: components["responses"]["invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            414: components["responses"]["url_too_long"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    getBudget: {
        parameters: {
            query?: never;
            header?: {
                /** @description an ETag that is known already: 304 where it is still so */
                "if-none-match"?: string;
            };
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *       "name": "Search team",
                     *       "description": "What the search team may spend",
                     *       "organizationId": "acme",
                     *       "scopeType": "team",
                     *       "scopeId": "search",
                     *       "currency": "USD",
                     *       "period": "monthly",
                     *       "timezone": "Europe/Berlin",
                     *       "startDate": "2026-12-01T00:00:00.000Z",
                     *       "endDate": null,
                     *       "recurring": true,
                     *       "mode": "enforced",
                     *       "paused": false,
                     *       "filters": {
                     *         "providers": [
                     *           "openai"
                     *         ],
                     *         "models": [
                     *           "gpt-*"
                     *         ],
                     *         "tags": {
                     *           "costCenter": "4711"
                     *         }
                     *       },
                     *       "tags": {
                     *         "costCenter": "4711"
                     *       },
                     *       "parentBudgetId": null,
                     *       "createdBy": "ada",
                     *       "amount": "12.5",
                     *       "enforcedLimit": "237.5",
                     *       "alerts": [
                     *         {
                     *           "threshold": 80,
                     *           "actions": [
                     *             "notify"
                     *           ],
                     *           "notificationChannels": [
                     *             "text"
                     *           ],
                     *           "message": "text"
                     *         }
                     *       ],
                     *       "version": 7,
                     *       "createdAt": "2026-12-01T00:00:00.000Z",
                     *       "updatedAt": "2026-12-01T00:00:00.000Z",
                     *       "archivedAt": null,
                     *       "warnings": [
                     *         {
                     *           "code": "children_exceed_parent",
                     *           "message": "text",
                     *           "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                        id: string;
                        /** @description for people */
                        name: string;
                        description: string | null;
                        organizationId: string | null;
                        /**
                         * @description whom a budget is for
                         * @enum {unknown}
                         */
                        scopeType: "organization" | "team" | "user" | "project";
                        /** @description of the organization, team, user or project */
                        scopeId: string;
                        /**
                         * @description ISO 4217
                         * @example USD
                         */
                        currency: string;
                        /**
                         * @description by the calendar of the time zone, weeks from Monday; custom: from startDate to endDate, and again
                         * @enum {unknown}
                         */
                        period: "daily" | "weekly" | "monthly" | "quarterly" | "annual" | "custom";
                        /**
                         * @description IANA time zone
                         * @default UTC
                         * @example Europe/Berlin
                         */
                        timezone: string;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        startDate: string;
                        endDate: string | null;
                        /** @description default true, false for custom; false: only the period that holds startDate */
                        recurring: boolean;
                        /**
                         * @description soft counts and never refuses; enforced if not given
                         * @enum {unknown}
                         */
                        mode: "enforced" | "soft";
                        /**
                         * @description refuses new calls until it is resumed
                         * @default false
                         */
                        paused: boolean;
                        /** @description the budget applies to calls that pass all of them */
                        filters: {
                            /**
                             * @example [
                             *       "openai"
                             *     ]
                             */
                            providers?: string[];
                            /**
                             * @description names, or patterns with *
                             * @example [
                             *       "gpt-*"
                             *     ]
                             */
                            models?: string[];
                            /**
                             * @example {
                             *       "costCenter": "4711"
                             *     }
                             */
                            tags?: {
                                [key: string]: string;
                            };
                        };
                        /**
                         * @example {
                         *       "costCenter": "4711"
                         *     }
                         */
                        tags: {
                            [key: string]: string;
                        };
                        parentBudgetId: string | null;
                        createdBy: string | null;
                        /**
                         * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                         * @example 12.5
                         */
                        amount: string;
                        /**
                         * @description the amount, or less where block-all says so
                         * @example 237.5
                         */
                        enforcedLimit: string;
                        alerts: {
                            /**
                             * @description percent of the amount
                             * @example 80
                             */
                            threshold: number;
                            /** @description block-all: at most 100 % */
                            actions: ("notify" | "block-all")[];
                            notificationChannels: string[];
                            message: string | null;
                        }[];
                        /** @description also the ETag; grows with every change */
                        version: number;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        createdAt: string;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        updatedAt: string;
                        archivedAt: string | null;
                        /** @description what is allowed, and perhaps not meant */
                        warnings?: {
                            /** @enum {unknown} */
                            code: "children_exceed_parent";
                            message: string;
                            /** @description the budget that promises more below it than it has */
                            budgetId: string;
                        }[];
                    };
                };
            };
            /** @description Default Response */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            414: components["responses"]["url_too_long"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    putBudget: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description the ETag that the change is based on, or *; another version by now: 412
                 * @example "42"
                 */
                "if-match"?: string;
                /**
                 * @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once
                 * @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55
                 */
                "idempotency-key"?: string;
            };
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        /** @description absent fields stay, null takes away what may be absent */
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "amount": "300",
                 *       "paused": false
                 *     }
                 */
                "application/json": {
                    /** @description for people */
                    name?: string;
                    description?: string | null;
                    organizationId?: string | null;
                    /**
                     * @description whom a budget is for
                     * @enum {unknown}
                     */
                    scopeType?: "organization" | "team" | "user" | "project";
                    /** @description of the organization, team, user or project */
                    scopeId?: string;
                    /**
                     * @description ISO 4217
                     * @example USD
                     */
                    currency?: string;
                    /**
                     * @description by the calendar of the time zone, weeks from Monday; custom: from startDate to endDate, and again
                     * @enum {unknown}
                     */
                    period?: "daily" | "weekly" | "monthly" | "quarterly" | "annual" | "custom";
                    /**
                     * @description IANA time zone
                     * @default UTC
                     * @example Europe/Berlin
                     */
                    timezone?: string;
                    /**
                     * @description RFC 3339, in UTC
                     * @example 2026-12-01T00:00:00.000Z
                     */
                    startDate?: string;
                    endDate?: string | null;
                    /** @description default true, false for custom; false: only the period that holds startDate */
                    recurring?: boolean;
                    /**
                     * @description soft counts and never refuses; enforced if not given
                     * @enum {unknown}
                     */
                    mode?: "enforced" | "soft";
                    /**
                     * @description refuses new calls until it is resumed
                     * @default false
                     */
                    paused?: boolean;
                    /** @description the budget applies to calls that pass all of them */
                    filters?: {
                        /**
                         * @example [
                         *       "openai"
                         *     ]
                         */
                        providers?: string[];
                        /**
                         * @description names, or patterns with *
                         * @example [
                         *       "gpt-*"
                         *     ]
                         */
                        models?: string[];
                        /**
                         * @example {
                         *       "costCenter": "4711"
                         *     }
                         */
                        tags?: {
                            [key: string]: string;
                        };
                    };
                    /**
                     * @example {
                     *       "costCenter": "4711"
                     *     }
                     */
                    tags?: {
                        [key: string]: string;
                    };
                    parentBudgetId?: string | null;
                    createdBy?: string | null;
                    /**
                     * @description more than 0, at most 9,000,000,000, at most 9 decimals: a decimal string, or a number that means its shortest decimal form
                     * @example 12.50
                     */
                    amount?: string | number;
                    alerts?: ({
                        /**
                         * @description percent of the amount
                         * @example 80
                         */
                        threshold: number;
                    } & {
                        /**
                         * @description percent of the amount
                         * @example 80
                         */
                        threshold?: number;
                        /** @description block-all: at most 100 % */
                        actions?: ("notify" | "block-all")[];
                        notificationChannels?: string[];
                        message?: string | null;
                    })[];
                };
            };
        };
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *       "name": "Search team",
                     *       "description": "What the search team may spend",
                     *       "organizationId": "acme",
                     *       "scopeType": "team",
                     *       "scopeId": "search",
                     *       "currency": "USD",
                     *       "period": "monthly",
                     *       "timezone": "Europe/Berlin",
                     *       "startDate": "2026-12-01T00:00:00.000Z",
                     *       "endDate": null,
                     *       "recurring": true,
                     *       "mode": "enforced",
                     *       "paused": false,
                     *       "filters": {
                     *         "providers": [
                     *           "openai"
                     *         ],
                     *         "models": [
                     *           "gpt-*"
                     *         ],
                     *         "tags": {
                     *           "costCenter": "4711"
                     *         }
                     *       },
                     *       "tags": {
                     *         "costCenter": "4711"
                     *       },
                     *       "parentBudgetId": null,
                     *       "createdBy": "ada",
                     *       "amount": "12.5",
                     *       "enforcedLimit": "237.5",
                     *       "alerts": [
                     *         {
                     *           "threshold": 80,
                     *           "actions": [
                     *             "notify"
                     *           ],
                     *           "notificationChannels": [
                     *             "text"
                     *           ],
                     *           "message": "text"
                     *         }
                     *       ],
                     *       "version": 7,
                     *       "createdAt": "2026-12-01T00:00:00.000Z",
                     *       "updatedAt": "2026-12-01T00:00:00.000Z",
                     *       "archivedAt": null,
                     *       "warnings": [
                     *         {
                     *           "code": "children_exceed_parent",
                     *           "message": "text",
                     *           "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                        id: string;
                        /** @description for people */
                        name: string;
                        description: string | null;
                        organizationId: string | null;
                        /**
                         * @description whom a budget is for
                         * @enum {unknown}
                         */
                        scopeType: "organization" | "team" | "user" | "project";
                        /** @description of the organization, team, user or project */
                        scopeId: string;
                        /**
                         * @description ISO 4217
                         * @example USD
                         */
                        currency: string;
                        /**
                         * @description by the calendar of the time zone, weeks from Monday; custom: from startDate to endDate, and again
                         * @enum {unknown}
                         */
                        period: "daily" | "weekly" | "monthly" | "quarterly" | "annual" | "custom";
                        /**
                         * @description IANA time zone
                         * @default UTC
                         * @example Europe/Berlin
                         */
                        timezone: string;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        startDate: string;
                        endDate: string | null;
                        /** @description default true, false for custom; false: only the period that holds startDate */
                        recurring: boolean;
                        /**
                         * @description soft counts and never refuses; enforced if not given
                         * @enum {unknown}
                         */
                        mode: "enforced" | "soft";
                        /**
                         * @description refuses new calls until it is resumed
                         * @default false
                         */
                        paused: boolean;
                        /** @description the budget applies to calls that pass all of them */
                        filters: {
                            /**
                             * @example [
                             *       "openai"
                             *     ]
                             */
                            providers?: string[];
                            /**
                             * @description names, or patterns with *
                             * @example [
                             *       "gpt-*"
                             *     ]
                             */
                            models?: string[];
                            /**
                             * @example {
                             *       "costCenter": "4711"
                             *     }
                             */
                            tags?: {
                                [key: string]: string;
                            };
                        };
                        /**
                         * @example {
                         *       "costCenter": "4711"
                         *     }
                         */
                        tags: {
                            [key: string]: string;
                        };
                        parentBudgetId: string | null;
                        createdBy: string | null;
                        /**
                         * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                         * @example 12.5
                         */
                        amount: string;
                        /**
                         * @description the amount, or less where block-all says so
                         * @example 237.5
                         */
                        enforcedLimit: string;
                        alerts: {
                            /**
                             * @description percent of the amount
                             * @example 80
                             */
                            threshold: number;
                            /** @description block-all: at most 100 % */
                            actions: ("notify" | "block-all")[];
                            notificationChannels: string[];
                            message: string | null;
                        }[];
                        /** @description also the ETag; grows with every change */
                        version: number;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        createdAt: string;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        updatedAt: string;
                        archivedAt: string | null;
                        /** @description what is allowed, and perhaps not meant */
                        warnings?: {
                            /** @enum {unknown} */
                            code: "children_exceed_parent";
                            message: string;
                            /** @description the budget that promises more below it than it has */
                            budgetId: string;
                        }[];
                    };
                };
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            409: components["responses"]["budget_in_use.conflict"];
            412: components["responses"]["precondition_failed"];
            413: components["responses"]["body_too_large"];
            414: components["responses"]["url_too_long"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused.unprocessable"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    deleteBudget: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description the ETag that the change is based on, or *; another version by now: 412
                 * @example "42"
                 */
                "if-match"?: string;
                /**
                 * @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once
                 * @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55
                 */
                "idempotency-key"?: string;
            };
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is done; there is nothing to tell. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            412: components["responses"]["precondition_failed"];
            413: components["responses"]["body_too_large"];
            414: components["responses"]["url_too_long"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    patchBudget: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description the ETag that the change is based on, or *; another version by now: 412
                 * @example "42"
                 */
                "if-match"?: string;
                /**
                 * @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once
                 * @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55
                 */
                "idempotency-key"?: string;
            };
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        /** @description absent fields stay, null takes away what may be absent */
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "amount": "300",
                 *       "paused": false
                 *     }
                 */
                "application/json": {
                    /** @description for people */
                    name?: string;
                    description?: string | null;
                    organizationId?: string | null;
                    /**
                     * @description whom a budget is for
                     * @enum {unknown}
                     */
                    scopeType?: "organization" | "team" | "user" | "project";
                    /** @description of the organization, team, user or project */
                    scopeId?: string;
                    /**
                     * @description ISO 4217
                     * @example USD
                     */
                    currency?: string;
                    /**
                     * @description by the calendar of the time zone, weeks from Monday; custom: from startDate to endDate, and again
                     * @enum {unknown}
                     */
                    period?: "daily" | "weekly" | "monthly" | "quarterly" | "annual" | "custom";
                    /**
                     * @description IANA time zone
                     * @default UTC
                     * @example Europe/Berlin
                     */
                    timezone?: string;
                    /**
                     * @description RFC 3339, in UTC
                     * @example 2026-12-01T00:00:00.000Z
                     */
                    startDate?: string;
                    endDate?: string | null;
                    /** @description default true, false for custom; false: only the period that holds startDate */
                    recurring?: boolean;
                    /**
                     * @description soft counts and never refuses; enforced if not given
                     * @enum {unknown}
                     */
                    mode?: "enforced" | "soft";
                    /**
                     * @description refuses new calls until it is resumed
                     * @default false
                     */
                    paused?: boolean;
                    /** @description the budget applies to calls that pass all of them */
                    filters?: {
                        /**
                         * @example [
                         *       "openai"
                         *     ]
                         */
                        providers?: string[];
                        /**
                         * @description names, or patterns with *
                         * @example [
                         *       "gpt-*"
                         *     ]
                         */
                        models?: string[];
                        /**
                         * @example {
                         *       "costCenter": "4711"
                         *     }
                         */
                        tags?: {
                            [key: string]: string;
                        };
                    };
                    /**
                     * @example {
                     *       "costCenter": "4711"
                     *     }
                     */
                    tags?: {
                        [key: string]: string;
                    };
                    parentBudgetId?: string | null;
                    createdBy?: string | null;
                    /**
                     * @description more than 0, at most 9,000,000,000, at most 9 decimals: a decimal string, or a number that means its shortest decimal form
                     * @example 12.50
                     */
                    amount?: string | number;
                    alerts?: ({
                        /**
                         * @description percent of the amount
                         * @example 80
                         */
                        threshold: number;
                    } & {
                        /**
                         * @description percent of the amount
                         * @example 80
                         */
                        threshold?: number;
                        /** @description block-all: at most 100 % */
                        actions?: ("notify" | "block-all")[];
                        notificationChannels?: string[];
                        message?: string | null;
                    })[];
                };
            };
        };
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *       "name": "Search team",
                     *       "description": "What the search team may spend",
                     *       "organizationId": "acme",
                     *       "scopeType": "team",
                     *       "scopeId": "search",
                     *       "currency": "USD",
                     *       "period": "monthly",
                     *       "timezone": "Europe/Berlin",
                     *       "startDate": "2026-12-01T00:00:00.000Z",
                     *       "endDate": null,
                     *       "recurring": true,
                     *       "mode": "enforced",
                     *       "paused": false,
                     *       "filters": {
                     *         "providers": [
                     *           "openai"
                     *         ],
                     *         "models": [
                     *           "gpt-*"
                     *         ],
                     *         "tags": {
                     *           "costCenter": "4711"
                     *         }
                     *       },
                     *       "tags": {
                     *         "costCenter": "4711"
                     *       },
                     *       "parentBudgetId": null,
                     *       "createdBy": "ada",
                     *       "amount": "12.5",
                     *       "enforcedLimit": "237.5",
                     *       "alerts": [
                     *         {
                     *           "threshold": 80,
                     *           "actions": [
                     *             "notify"
                     *           ],
                     *           "notificationChannels": [
                     *             "text"
                     *           ],
                     *           "message": "text"
                     *         }
                     *       ],
                     *       "version": 7,
                     *       "createdAt": "2026-12-01T00:00:00.000Z",
                     *       "updatedAt": "2026-12-01T00:00:00.000Z",
                     *       "archivedAt": null,
                     *       "warnings": [
                     *         {
                     *           "code": "children_exceed_parent",
                     *           "message": "text",
                     *           "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                        id: string;
                        /** @description for people */
                        name: string;
                        description: string | null;
                        organizationId: string | null;
                        /**
                         * @description whom a budget is for
                         * @enum {unknown}
                         */
                        scopeType: "organization" | "team" | "user" | "project";
                        /** @description of the organization, team, user or project */
                        scopeId: string;
                        /**
                         * @description ISO 4217
                         * @example USD
                         */
                        currency: string;
                        /**
                         * @description by the calendar of the time zone, weeks from Monday; custom: from startDate to endDate, and again
                         * @enum {unknown}
                         */
                        period: "daily" | "weekly" | "monthly" | "quarterly" | "annual" | "custom";
                        /**
                         * @description IANA time zone
                         * @default UTC
                         * @example Europe/Berlin
                         */
                        timezone: string;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        startDate: string;
                        endDate: string | null;
                        /** @description default true, false for custom; false: only the period that holds startDate */
                        recurring: boolean;
                        /**
                         * @description soft counts and never refuses; enforced if not given
                         * @enum {unknown}
                         */
                        mode: "enforced" | "soft";
                        /**
                         * @description refuses new calls until it is resumed
                         * @default false
                         */
                        paused: boolean;
                        /** @description the budget applies to calls that pass all of them */
                        filters: {
                            /**
                             * @example [
                             *       "openai"
                             *     ]
                             */
                            providers?: string[];
                            /**
                             * @description names, or patterns with *
                             * @example [
                             *       "gpt-*"
                             *     ]
                             */
                            models?: string[];
                            /**
                             * @example {
                             *       "costCenter": "4711"
                             *     }
                             */
                            tags?: {
                                [key: string]: string;
                            };
                        };
                        /**
                         * @example {
                         *       "costCenter": "4711"
                         *     }
                         */
                        tags: {
                            [key: string]: string;
                        };
                        parentBudgetId: string | null;
                        createdBy: string | null;
                        /**
                         * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                         * @example 12.5
                         */
                        amount: string;
                        /**
                         * @description the amount, or less where block-all says so
                         * @example 237.5
                         */
                        enforcedLimit: string;
                        alerts: {
                            /**
                             * @description percent of the amount
                             * @example 80
                             */
                            threshold: number;
                            /** @description block-all: at most 100 % */
                            actions: ("notify" | "block-all")[];
                            notificationChannels: string[];
                            message: string | null;
                        }[];
                        /** @description also the ETag; grows with every change */
                        version: number;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        createdAt: string;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        updatedAt: string;
                        archivedAt: string | null;
                        /** @description what is allowed, and perhaps not meant */
                        warnings?: {
                            /** @enum {unknown} */
                            code: "children_exceed_parent";
                            message: string;
                            /** @description the budget that promises more below it than it has */
                            budgetId: string;
                        }[];
                    };
                };
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            409: components["responses"]["budget_in_use.conflict"];
            412: components["responses"]["precondition_failed"];
            413: components["responses"]["body_too_large"];
            414: components["responses"]["url_too_long"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused.unprocessable"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    postBudgetRestore: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description the ETag that the change is based on, or *; another version by now: 412
                 * @example "42"
                 */
                "if-match"?: string;
                /**
                 * @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once
                 * @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55
                 */
                "idempotency-key"?: string;
            };
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *       "name": "Search team",
                     *       "description": "What the search team may spend",
                     *       "organizationId": "acme",
                     *       "scopeType": "team",
                     *       "scopeId": "search",
                     *       "currency": "USD",
                     *       "period": "monthly",
                     *       "timezone": "Europe/Berlin",
                     *       "startDate": "2026-12-01T00:00:00.000Z",
                     *       "endDate": null,
                     *       "recurring": true,
                     *       "mode": "enforced",
                     *       "paused": false,
                     *       "filters": {
                     *         "providers": [
                     *           "openai"
                     *         ],
                     *         "models": [
                     *           "gpt-*"
                     *         ],
                     *         "tags": {
                     *           "costCenter": "4711"
                     *         }
                     *       },
                     *       "tags": {
                     *         "costCenter": "4711"
                     *       },
                     *       "parentBudgetId": null,
                     *       "createdBy": "ada",
                     *       "amount": "12.5",
                     *       "enforcedLimit": "237.5",
                     *       "alerts": [
                     *         {
                     *           "threshold": 80,
                     *           "actions": [
                     *             "notify"
                     *           ],
                     *           "notificationChannels": [
                     *             "text"
                     *           ],
                     *           "message": "text"
                     *         }
                     *       ],
                     *       "version": 7,
                     *       "createdAt": "2026-12-01T00:00:00.000Z",
                     *       "updatedAt": "2026-12-01T00:00:00.000Z",
                     *       "archivedAt": null,
                     *       "warnings": [
                     *         {
                     *           "code": "children_exceed_parent",
                     *           "message": "text",
                     *           "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                        id: string;
                        /** @description for people */
                        name: string;
                        description: string | null;
                        organizationId: string | null;
                        /**
                         * @description whom a budget is for
                         * @enum {unknown}
                         */
                        scopeType: "organization" | "team" | "user" | "project";
                        /** @description of the organization, team, user or project */
                        scopeId: string;
                        /**
                         * @description ISO 4217
                         * @example USD
                         */
                        currency: string;
                        /**
                         * @description by the calendar of the time zone, weeks from Monday; custom: from startDate to endDate, and again
                         * @enum {unknown}
                         */
                        period: "daily" | "weekly" | "monthly" | "quarterly" | "annual" | "custom";
                        /**
                         * @description IANA time zone
                         * @default UTC
                         * @example Europe/Berlin
                         */
                        timezone: string;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        startDate: string;
                        endDate: string | null;
                        /** @description default true, false for custom; false: only the period that holds startDate */
                        recurring: boolean;
                        /**
                         * @description soft counts and never refuses; enforced if not given
                         * @enum {unknown}
                         */
                        mode: "enforced" | "soft";
                        /**
                         * @description refuses new calls until it is resumed
                         * @default false
                         */
                        paused: boolean;
                        /** @description the budget applies to calls that pass all of them */
                        filters: {
                            /**
                             * @example [
                             *       "openai"
                             *     ]
                             */
                            providers?: string[];
                            /**
                             * @description names, or patterns with *
                             * @example [
                             *       "gpt-*"
                             *     ]
                             */
                            models?: string[];
                            /**
                             * @example {
                             *       "costCenter": "4711"
                             *     }
                             */
                            tags?: {
                                [key: string]: string;
                            };
                        };
                        /**
                         * @example {
                         *       "costCenter": "4711"
                         *     }
                         */
                        tags: {
                            [key: string]: string;
                        };
                        parentBudgetId: string | null;
                        createdBy: string | null;
                        /**
                         * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                         * @example 12.5
                         */
                        amount: string;
                        /**
                         * @description the amount, or less where block-all says so
                         * @example 237.5
                         */
                        enforcedLimit: string;
                        alerts: {
                            /**
                             * @description percent of the amount
                             * @example 80
                             */
                            threshold: number;
                            /** @description block-all: at most 100 % */
                            actions: ("notify" | "block-all")[];
                            notificationChannels: string[];
                            message: string | null;
                        }[];
                        /** @description also the ETag; grows with every change */
                        version: number;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        createdAt: string;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        updatedAt: string;
                        archivedAt: string | null;
                        /** @description what is allowed, and perhaps not meant */
                        warnings?: {
                            /** @enum {unknown} */
                            code: "children_exceed_parent";
                            message: string;
                            /** @description the budget that promises more below it than it has */
                            budgetId: string;
                        }[];
                    };
                };
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            409: components["responses"]["budget_in_use.conflict"];
            412: components["responses"]["precondition_failed"];
            413: components["responses"]["body_too_large"];
            414: components["responses"]["url_too_long"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused.unprocessable"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    getBudgetStatus: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *       "currentAmount": "12.5",
                     *       "limit": "12.5",
                     *       "enforcedLimit": "12.5",
                     *       "currency": "USD",
                     *       "percentUsed": 45,
                     *       "remaining": "12.5",
                     *       "held": "12.5",
                     *       "inDoubt": "12.5",
                     *       "leased": "12.5",
                     *       "heldIsUpperBound": false,
                     *       "daysRemaining": 6,
                     *       "burnRate": "4.5",
                     *       "projectedTotal": "12.5",
                     *       "status": "normal",
                     *       "activeAlerts": [
                     *         {
                     *           "threshold": 80,
                     *           "triggeredAt": "2026-11-19T08:30:00.000Z",
                     *           "actions": [
                     *             "notify"
                     *           ],
                     *           "acknowledged": false,
                     *           "acknowledgedBy": null,
                     *           "acknowledgedAt": null
                     *         }
                     *       ],
                     *       "periodStart": "2026-12-01T00:00:00.000Z",
                     *       "periodEnd": "2026-12-01T00:00:00.000Z",
                     *       "lastUpdated": "2026-12-01T00:00:00.000Z"
                     *     }
                     */
                    "application/json": {
                        budgetId: string;
                        /**
                         * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                         * @example 12.5
                         */
                        currentAmount: string;
                        /**
                         * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                         * @example 12.5
                         */
                        limit: string;
                        /**
                         * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                         * @example 12.5
                         */
                        enforcedLimit: string;
                        currency: string;
                        percentUsed: number;
                        /**
                         * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                         * @example 12.5
                         */
                        remaining: string;
                        /**
                         * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                         * @example 12.5
                         */
                        held: string;
                        /**
                         * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                         * @example 12.5
                         */
                        inDoubt: string;
                        /**
                         * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                         * @example 12.5
                         */
                        leased: string;
                        heldIsUpperBound: boolean;
                        daysRemaining: number | null;
                        /** @description per day */
                        burnRate: string;
                        /**
                         * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                         * @example 12.5
                         */
                        projectedTotal: string;
                        /** @description normal, warning, critical or exceeded */
                        status: string;
                        activeAlerts: unknown[];
                        periodStart: string | null;
                        periodEnd: string | null;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        lastUpdated: string;
                    };
                };
            };
            400: components["responses"]["invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            414: components["responses"]["url_too_long"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    getBudgetUsage: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string;
            };
            header?: never;
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "usage": [
                     *         {
                     *           "id": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *           "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *           "amount": "12.5",
                     *           "currency": "USD",
                     *           "timestamp": "2026-12-01T00:00:00.000Z",
                     *           "source": "relaycore",
                     *           "description": "What the search team may spend",
                     *           "certainty": "exact",
                     *           "quote": "12.5",
                     *           "openedAt": "2026-12-01T00:00:00.000Z",
                     *           "endedAt": "2026-12-01T00:00:00.000Z",
                     *           "metadata": {
                     *             "requestId": "req-1f",
                     *             "modelId": "gpt-4o"
                     *           }
                     *         }
                     *       ],
                     *       "count": 1,
                     *       "limit": 1,
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": {
                        usage: {
                            id: string;
                            budgetId: string;
                            /**
                             * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                             * @example 12.5
                             */
                            amount: string;
                            currency: string;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            timestamp: string;
                            source: string;
                            description: string | null;
                            /** @description exact, estimated or uncertain */
                            certainty: string;
                            /**
                             * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                             * @example 12.5
                             */
                            quote: string;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            openedAt: string;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            endedAt: string;
                            metadata: unknown;
                        }[];
                        count: number;
                        limit: number;
                        nextCursor: string | null;
                    };
                };
            };
            400: components["responses"]["invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            414: components["responses"]["url_too_long"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    getBudgetUsageSummary: {
        parameters: {
            query?: {
                /**
                 * @description RFC 3339, widened to the hour, or a day of the budget's time zone; default: the start of the running period
                 * @example 2026-11-01T00:00:00Z
                 */
                startDate?: string;
                /**
                 * @description exclusive, as startDate; default: now where startDate is given, else the end of the period
                 * @example 2026-12-01T00:00:00Z
                 */
                endDate?: string;
                /** @example model */
                groupBy?: ("source" | "provider" | "model" | "key" | "user" | "team" | "project") | string;
                /** @description of the calendar in the budget's time zone, weeks from Monday */
                interval?: "hour" | "day" | "week" | "month";
                /** @description default: what the header accept says, else json */
                format?: "json" | "csv";
            };
            header?: never;
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *       "totalAmount": "12.5",
                     *       "currency": "USD",
                     *       "recordCount": 1200,
                     *       "averagePerDay": "4.5",
                     *       "inputTokens": 1200,
                     *       "outputTokens": 1200,
                     *       "bySource": {
                     *         "relaycore": "12.5"
                     *       },
                     *       "startDate": "2026-12-01T00:00:00.000Z",
                     *       "endDate": "2026-12-01T00:00:00.000Z",
                     *       "timezone": "Europe/Berlin",
                     *       "groupBy": "model",
                     *       "interval": "hour",
                     *       "asOf": "2026-11-24T09:15:00.000Z",
                     *       "groups": [
                     *         {
                     *           "start": "2026-12-01T00:00:00.000Z",
                     *           "end": "2026-12-01T00:00:00.000Z",
                     *           "value": "gpt-4o",
                     *           "amount": "12.5",
                     *           "recordCount": 1200,
                     *           "inputTokens": 1200,
                     *           "outputTokens": 1200
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        budgetId: string;
                        /**
                         * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                         * @example 12.5
                         */
                        totalAmount: string;
                        currency: string;
                        /**
                         * @description one per call, and one per correction
                         * @example 1200
                         */
                        recordCount: number;
                        /**
                         * @description over the calendar days of the range until now, counted from when the budget begins; less than a day counts as one
                         * @example 4.5
                         */
                        averagePerDay: string;
                        /**
                         * @description all that went in, read from and written to caches too
                         * @example 1200
                         */
                        inputTokens: number;
                        /**
                         * @description reasoning among them
                         * @example 1200
                         */
                        outputTokens: number;
                        /**
                         * @description relaycore, auterity or manual, where there is any
                         * @example {
                         *       "relaycore": "12.5"
                         *     }
                         */
                        bySource: {
                            [key: string]: string;
                        };
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        startDate: string;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        endDate: string;
                        /** @example Europe/Berlin */
                        timezone: string;
                        groupBy: (("source" | "provider" | "model" | "key" | "user" | "team" | "project") | string) | null;
                        interval: ("hour" | "day" | "week" | "month") | null;
                        /**
                         * @description what was recorded by then is in it. Calls that are open, or ended within the last second or so, are not: the status of the budget has them.
                         * @example 2026-11-24T09:15:00.000Z
                         */
                        asOf: string;
                        /** @description by time, then the greatest first; times without usage are left out; start and end are null without interval */
                        groups: {
                            start: string | null;
                            end: string | null;
                            value: string | null;
                            /**
                             * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                             * @example 12.5
                             */
                            amount: string;
                            /**
                             * @description one per call, and one per correction
                             * @example 1200
                             */
                            recordCount: number;
                            /**
                             * @description all that went in, read from and written to caches too
                             * @example 1200
                             */
                            inputTokens: number;
                            /**
                             * @description reasoning among them
                             * @example 1200
                             */
                            outputTokens: number;
                        }[];
                    };
                    /**
                     * @example start,end,model,amount,currency,recordCount,inputTokens,outputTokens
                     *     ,,gpt-4o,12.5,USD,3,1200,340
                     */
                    "text/csv": string;
                };
            };
            400: components["responses"]["invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            414: components["responses"]["url_too_long"];
            422: components["responses"]["idempotency_key_reused.unprocessable"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    getKeys: {
        parameters: {
            query?: {
                /** @description most that are answered at once */
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                /** @description exactly */
                organizationId?: string;
                /** @description exactly */
                teamId?: string;
                /** @description exactly */
                projectId?: string;
                /** @description exactly */
                userId?: string;
                /** @description revoked ones too */
                includeRevoked?: boolean;
                /** @description whether to count all pages */
                total?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "keys": [
                     *         {
                     *           "id": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *           "key": "rk_5Yb2kq8RzW1nX4vT7cJ0mH3sL6pD9fGa",
                     *           "hint": "rk_Ab3d...",
                     *           "name": "Search team",
                     *           "allowHeaders": [
                     *             "user",
                     *             "tags"
                     *           ],
                     *           "requireHeaders": [
                     *             "user",
                     *             "tags"
                     *           ],
                     *           "allowedProviders": [
                     *             "openai"
                     *           ],
                     *           "allowedModels": [
                     *             "gpt-4o*"
                     *           ],
                     *           "expiresAt": "2027-01-01T00:00:00Z",
                     *           "organizationId": "acme",
                     *           "teamId": "search",
                     *           "projectId": null,
                     *           "userId": null,
                     *           "disabled": true,
                     *           "createdAt": "2026-12-01T00:00:00.000Z",
                     *           "updatedAt": "2026-12-01T00:00:00.000Z",
                     *           "disabledAt": "2026-12-01T00:00:00.000Z",
                     *           "revokedAt": null,
                     *           "version": 7
                     *         }
                     *       ],
                     *       "count": 1,
                     *       "limit": 1,
                     *       "nextCursor": null,
                     *       "total": 1
                     *     }
                     */
                    "application/json": {
                        keys: {
                            /** @description UUID; stays through rotations */
                            id: string;
                            /** @description the secret itself: shown once, in the answer that made it */
                            key?: string;
                            /**
                             * @description the beginning of the secret
                             * @example rk_Ab3d...
                             */
                            hint: string;
                            /** @description for people */
                            name: string;
                            /**
                             * @description identity headers that count when a call carries them: the part behind x-relaycore-
                             * @example [
                             *       "user",
                             *       "tags"
                             *     ]
                             */
                            allowHeaders: ("user" | "team" | "project" | "session" | "tags")[];
                            /**
                             * @description identity headers that a call must carry: the part behind x-relaycore-
                             * @example [
                             *       "user",
                             *       "tags"
                             *     ]
                             */
                            requireHeaders: ("user" | "team" | "project" | "session" | "tags")[];
                            allowedProviders: string[] | null;
                            allowedModels: string[] | null;
                            expiresAt: string | null;
                            /** @description whose calls these are */
                            organizationId: string;
                            teamId: string | null;
                            projectId: string | null;
                            userId: string | null;
                            disabled: boolean;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            createdAt: string;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            updatedAt: string;
                            disabledAt: string | null;
                            revokedAt: string | null;
                            /** @description also the ETag */
                            version: number;
                        }[];
                        /** @description of this page */
                        count: number;
                        limit: number;
                        nextCursor: string | null;
                        /** @description of all pages, where total=true asks for it */
                        total?: number;
                    };
                };
            };
            400: components["responses"]["invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    postKeys: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once
                 * @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55
                 */
                "idempotency-key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "search service",
                 *       "organizationId": "acme",
                 *       "teamId": "search"
                 *     }
                 */
                "application/json": {
                    /** @description for people */
                    name: string;
                    /**
                     * @description identity headers that count when a call carries them: the part behind x-relaycore-
                     * @example [
                     *       "user",
                     *       "tags"
                     *     ]
                     */
                    allowHeaders?: ("user" | "team" | "project" | "session" | "tags")[];
                    /**
                     * @description identity headers that a call must carry: the part behind x-relaycore-
                     * @example [
                     *       "user",
                     *       "tags"
                     *     ]
                     */
                    requireHeaders?: ("user" | "team" | "project" | "session" | "tags")[];
                    allowedProviders?: string[] | null;
                    allowedModels?: string[] | null;
                    expiresAt?: string | null;
                    /** @description whose calls these are */
                    organizationId: string;
                    teamId?: string | null;
                    projectId?: string | null;
                    userId?: string | null;
                };
            };
        };
        responses: {
            /** @description It is made. */
            201: {
                headers: {
                    /** @description Path of the object that was made. */
                    location?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *       "key": "rk_5Yb2kq8RzW1nX4vT7cJ0mH3sL6pD9fGa",
                     *       "hint": "rk_Ab3d...",
                     *       "name": "Search team",
                     *       "allowHeaders": [
                     *         "user",
                     *         "tags"
                     *       ],
                     *       "requireHeaders": [
                     *         "user",
                     *         "tags"
                     *       ],
                     *       "allowedProviders": [
                     *         "openai"
                     *       ],
                     *       "allowedModels": [
                     *         "gpt-4o*"
                     *       ],
                     *       "expiresAt": "2027-01-01T00:00:00Z",
                     *       "organizationId": "acme",
                     *       "teamId": "search",
                     *       "projectId": null,
                     *       "userId": null,
                     *       "disabled": true,
                     *       "createdAt": "2026-12-01T00:00:00.000Z",
                     *       "updatedAt": "2026-12-01T00:00:00.000Z",
                     *       "disabledAt": "2026-12-01T00:00:00.000Z",
                     *       "revokedAt": null,
                     *       "version": 7
                     *     }
                     */
                    "application/json": {
                        /** @description UUID; stays through rotations */
                        id: string;
                        /** @description the secret itself: shown once, in the answer that made it */
                        key?: string;
                        /**
                         * @description the beginning of the secret
                         * @example rk_Ab3d...
                         */
                        hint: string;
                        /** @description for people */
                        name: string;
                        /**
                         * @description identity headers that count when a call carries them: the part behind x-relaycore-
                         * @example [
                         *       "user",
                         *       "tags"
                         *     ]
                         */
                        allowHeaders: ("user" | "team" | "project" | "session" | "tags")[];
                        /**
                         * @description identity headers that a call must carry: the part behind x-relaycore-
                         * @example [
                         *       "user",
                         *       "tags"
                         *     ]
                         */
                        requireHeaders: ("user" | "team" | "project" | "session" | "tags")[];
                        allowedProviders: string[] | null;
                        allowedModels: string[] | null;
                        expiresAt: string | null;
                        /** @description whose calls these are */
                        organizationId: string;
                        teamId: string | null;
                        projectId: string | null;
                        userId: string | null;
                        disabled: boolean;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        createdAt: string;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        updatedAt: string;
                        disabledAt: string | null;
                        revokedAt: string | null;
                        /** @description also the ETag */
                        version: number;
                    };
                };
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            413: components["responses"]["body_too_large"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused.unprocessable"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    getKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description an ETag that is known already: 304 where it is still so */
                "if-none-match"?: string;
            };
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *       "key": "rk_5Yb2kq8RzW1nX4vT7cJ0mH3sL6pD9fGa",
                     *       "hint": "rk_Ab3d...",
                     *       "name": "Search team",
                     *       "allowHeaders": [
                     *         "user",
                     *         "tags"
                     *       ],
                     *       "requireHeaders": [
                     *         "user",
                     *         "tags"
                     *       ],
                     *       "allowedProviders": [
                     *         "openai"
                     *       ],
                     *       "allowedModels": [
                     *         "gpt-4o*"
                     *       ],
                     *       "expiresAt": "2027-01-01T00:00:00Z",
                     *       "organizationId": "acme",
                     *       "teamId": "search",
                     *       "projectId": null,
                     *       "userId": null,
                     *       "disabled": true,
                     *       "createdAt": "2026-12-01T00:00:00.000Z",
                     *       "updatedAt": "2026-12-01T00:00:00.000Z",
                     *       "disabledAt": "2026-12-01T00:00:00.000Z",
                     *       "revokedAt": null,
                     *       "version": 7
                     *     }
                     */
                    "application/json": {
                        /** @description UUID; stays through rotations */
                        id: string;
                        /** @description the secret itself: shown once, in the answer that made it */
                        key?: string;
                        /**
                         * @description the beginning of the secret
                         * @example rk_Ab3d...
                         */
                        hint: string;
                        /** @description for people */
                        name: string;
                        /**
                         * @description identity headers that count when a call carries them: the part behind x-relaycore-
                         * @example [
                         *       "user",
                         *       "tags"
                         *     ]
                         */
                        allowHeaders: ("user" | "team" | "project" | "session" | "tags")[];
                        /**
                         * @description identity headers that a call must carry: the part behind x-relaycore-
                         * @example [
                         *       "user",
                         *       "tags"
                         *     ]
                         */
                        requireHeaders: ("user" | "team" | "project" | "session" | "tags")[];
                        allowedProviders: string[] | null;
                        allowedModels: string[] | null;
                        expiresAt: string | null;
                        /** @description whose calls these are */
                        organizationId: string;
                        teamId: string | null;
                        projectId: string | null;
                        userId: string | null;
                        disabled: boolean;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        createdAt: string;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        updatedAt: string;
                        disabledAt: string | null;
                        revokedAt: string | null;
                        /** @description also the ETag */
                        version: number;
                    };
                };
            };
            /** @description Default Response */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            414: components["responses"]["url_too_long"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    deleteKey: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description the ETag that the change is based on, or *; another version by now: 412
                 * @example "42"
                 */
                "if-match"?: string;
                /**
                 * @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once
                 * @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55
                 */
                "idempotency-key"?: string;
            };
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is done; there is nothing to tell. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            412: components["responses"]["precondition_failed"];
            413: components["responses"]["body_too_large"];
            414: components["responses"]["url_too_long"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    patchKey: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description the ETag that the change is based on, or *; another version by now: 412
                 * @example "42"
                 */
                "if-match"?: string;
                /**
                 * @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once
                 * @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55
                 */
                "idempotency-key"?: string;
            };
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        /** @description absent fields stay, null takes away */
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "disabled": true
                 *     }
                 */
                "application/json": {
                    /** @description for people */
                    name?: string;
                    /**
                     * @description identity headers that count when a call carries them: the part behind x-relaycore-
                     * @example [
                     *       "user",
                     *       "tags"
                     *     ]
                     */
                    allowHeaders?: ("user" | "team" | "project" | "session" | "tags")[];
                    /**
                     * @description identity headers that a call must carry: the part behind x-relaycore-
                     * @example [
                     *       "user",
                     *       "tags"
                     *     ]
                     */
                    requireHeaders?: ("user" | "team" | "project" | "session" | "tags")[];
                    allowedProviders?: string[] | null;
                    allowedModels?: string[] | null;
                    expiresAt?: string | null;
                    /** @description refused until it is enabled again */
                    disabled?: boolean;
                };
            };
        };
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *       "key": "rk_5Yb2kq8RzW1nX4vT7cJ0mH3sL6pD9fGa",
                     *       "hint": "rk_Ab3d...",
                     *       "name": "Search team",
                     *       "allowHeaders": [
                     *         "user",
                     *         "tags"
                     *       ],
                     *       "requireHeaders": [
                     *         "user",
                     *         "tags"
                     *       ],
                     *       "allowedProviders": [
                     *         "openai"
                     *       ],
                     *       "allowedModels": [
                     *         "gpt-4o*"
                     *       ],
                     *       "expiresAt": "2027-01-01T00:00:00Z",
                     *       "organizationId": "acme",
                     *       "teamId": "search",
                     *       "projectId": null,
                     *       "userId": null,
                     *       "disabled": true,
                     *       "createdAt": "2026-12-01T00:00:00.000Z",
                     *       "updatedAt": "2026-12-01T00:00:00.000Z",
                     *       "disabledAt": "2026-12-01T00:00:00.000Z",
                     *       "revokedAt": null,
                     *       "version": 7
                     *     }
                     */
                    "application/json": {
                        /** @description UUID; stays through rotations */
                        id: string;
                        /** @description the secret itself: shown once, in the answer that made it */
                        key?: string;
                        /**
                         * @description the beginning of the secret
                         * @example rk_Ab3d...
                         */
                        hint: string;
                        /** @description for people */
                        name: string;
                        /**
                         * @description identity headers that count when a call carries them: the part behind x-relaycore-
                         * @example [
                         *       "user",
                         *       "tags"
                         *     ]
                         */
                        allowHeaders: ("user" | "team" | "project" | "session" | "tags")[];
                        /**
                         * @description identity headers that a call must carry: the part behind x-relaycore-
                         * @example [
                         *       "user",
                         *       "tags"
                         *     ]
                         */
                        requireHeaders: ("user" | "team" | "project" | "session" | "tags")[];
                        allowedProviders: string[] | null;
                        allowedModels: string[] | null;
                        expiresAt: string | null;
                        /** @description whose calls these are */
                        organizationId: string;
                        teamId: string | null;
                        projectId: string | null;
                        userId: string | null;
                        disabled: boolean;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        createdAt: string;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        updatedAt: string;
                        disabledAt: string | null;
                        revokedAt: string | null;
                        /** @description also the ETag */
                        version: number;
                    };
                };
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            409: components["responses"]["budget_in_use.conflict"];
            412: components["responses"]["precondition_failed"];
            413: components["responses"]["body_too_large"];
            414: components["responses"]["url_too_long"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    postKeyRotate: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description the ETag that the change is based on, or *; another version by now: 412
                 * @example "42"
                 */
                "if-match"?: string;
                /**
                 * @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once
                 * @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55
                 */
                "idempotency-key"?: string;
            };
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "overlapSeconds": 3600
                 *     }
                 */
                "application/json": {
                    /** @description how long the secret before works beside the new one; 0 if not given */
                    overlapSeconds?: number;
                } | null;
            };
        };
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *       "key": "rk_5Yb2kq8RzW1nX4vT7cJ0mH3sL6pD9fGa",
                     *       "hint": "rk_Ab3d...",
                     *       "name": "Search team",
                     *       "allowHeaders": [
                     *         "user",
                     *         "tags"
                     *       ],
                     *       "requireHeaders": [
                     *         "user",
                     *         "tags"
                     *       ],
                     *       "allowedProviders": [
                     *         "openai"
                     *       ],
                     *       "allowedModels": [
                     *         "gpt-4o*"
                     *       ],
                     *       "expiresAt": "2027-01-01T00:00:00Z",
                     *       "organizationId": "acme",
                     *       "teamId": "search",
                     *       "projectId": null,
                     *       "userId": null,
                     *       "disabled": true,
                     *       "createdAt": "2026-12-01T00:00:00.000Z",
                     *       "updatedAt": "2026-12-01T00:00:00.000Z",
                     *       "disabledAt": "2026-12-01T00:00:00.000Z",
                     *       "revokedAt": null,
                     *       "version": 7
                     *     }
                     */
                    "application/json": {
                        /** @description UUID; stays through rotations */
                        id: string;
                        /** @description the secret itself: shown once, in the answer that made it */
                        key?: string;
                        /**
                         * @description the beginning of the secret
                         * @example rk_Ab3d...
                         */
                        hint: string;
                        /** @description for people */
                        name: string;
                        /**
                         * @description identity headers that count when a call carries them: the part behind x-relaycore-
                         * @example [
                         *       "user",
                         *       "tags"
                         *     ]
                         */
                        allowHeaders: ("user" | "team" | "project" | "session" | "tags")[];
                        /**
                         * @description identity headers that a call must carry: the part behind x-relaycore-
                         * @example [
                         *       "user",
                         *       "tags"
                         *     ]
                         */
                        requireHeaders: ("user" | "team" | "project" | "session" | "tags")[];
                        allowedProviders: string[] | null;
                        allowedModels: string[] | null;
                        expiresAt: string | null;
                        /** @description whose calls these are */
                        organizationId: string;
                        teamId: string | null;
                        projectId: string | null;
                        userId: string | null;
                        disabled: boolean;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        createdAt: string;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        updatedAt: string;
                        disabledAt: string | null;
                        revokedAt: string | null;
                        /** @description also the ETag */
                        version: number;
                    };
                };
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            409: components["responses"]["budget_in_use.conflict"];
            412: components["responses"]["precondition_failed"];
            413: components["responses"]["body_too_large"];
            414: components["responses"]["url_too_long"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused.unprocessable"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
}
