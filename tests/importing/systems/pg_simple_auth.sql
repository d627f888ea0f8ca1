--
-- PostgreSQL database dump
--


-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: users; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.users (
    id integer NOT NULL,
    reset_token character varying(255),
    reset_token_expires timestamp with time zone,
    verification_token character varying(255),
    verification_token_expires timestamp with time zone,
    verified boolean DEFAULT false,
    failed_login_attempts integer DEFAULT 0,
    last_failed_login timestamp with time zone,
    email character varying(255),
    password_hash character varying(255),
    created_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP,
    oauth_provider character varying(50),
    oauth_id character varying(255)
);


--
-- Name: users_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.users_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: users_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.users_id_seq OWNED BY public.users.id;


--
-- Name: users id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.users ALTER COLUMN id SET DEFAULT nextval('public.users_id_seq'::regclass);


--
-- Data for Name: users; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.users VALUES (2, NULL, NULL, '5fce42a7-6917-4ce5-99c5-1cfcd19a25d8', '2026-11-29 19:17:26.724769+00', false, 0, NULL, 'Bob@Example.com', '$argon2id$v=19$m=65536,t=3,p=4$uTcGYOwdQ0hJ6f2fc06p1Q$j4kjhBksvF0iiMEa9QZfotg1PdDbXj4PZawNmx3j0yA', '2026-11-28 19:17:26.720504+00', NULL, NULL);
INSERT INTO public.users VALUES (3, NULL, NULL, NULL, NULL, false, 0, NULL, 'carol@example.com', NULL, '2026-11-28 19:17:26.750997+00', 'github', '17');
INSERT INTO public.users VALUES (1, NULL, NULL, NULL, '2026-11-29 19:17:26.143962+00', true, 0, NULL, 'ada@example.com', '$argon2id$v=19$m=65536,t=3,p=4$k3JuLQXgPGeMkTJmTKl1jg$I7ZIanXxQ+mt27cibIa0RMR30rrfeZ4H32UZZ4RCyF0', '2026-11-28 19:17:26.141141+00', NULL, NULL);


--
-- Name: users_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.users_id_seq', 3, true);


--
-- Name: users users_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);


--
-- PostgreSQL database dump complete
--


